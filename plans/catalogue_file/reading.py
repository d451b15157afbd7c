"""YAML text to a CatalogueSpec: strictly, exactly, and naming the place of everything that is wrong."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import yaml

from kernel.clock import BadInstant, parse_instant
from plans.catalogue_file.problems import CatalogueFileInvalid
from plans.catalogue_file.spec import SECTIONS, CatalogueSpec, Spec, read_value

LONGEST_FILE: Final = 4 * 1024 * 1024
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class _Loader(yaml.SafeLoader):
    """YAML without its surprises: numbers stay exact, `no` is text, a repeated key is a mistake."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        # An alias lets a small file stand for a huge one, and a pricing file needs none.
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*) are not read here", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is not text", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is written twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def exact_number(self, node: Any) -> int | Decimal:
        text = str(node.value)
        return Decimal(text) if set(text) & set(".eE") else int(text)

    def instant(self, node: Any) -> datetime:
        """A day stands for its first instant in UTC; a time needs its zone."""
        text = str(node.value)
        try:
            return parse_instant(text if len(text) > len("2026-01-01") else f"{text}T00:00:00Z")
        except BadInstant as error:
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from None


for tag, pattern, first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("number", r"[-+]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,2})?", "-+.0123456789"),
    ("instant", r"\d{4}-\d{2}-\d{2}(?:[Tt ].*)?", "0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), list(first))
_Loader.add_constructor("tag:yaml.org,2002:number", _Loader.exact_number)
_Loader.add_constructor("tag:yaml.org,2002:instant", _Loader.instant)
_Loader.add_constructor("tag:yaml.org,2002:bool", lambda _, node: node.value == "true")


def read_catalogue(text: str) -> CatalogueSpec:
    """Read a catalogue file. Raises CatalogueFileInvalid, which lists every fault with its place.

    References between parts, and to what the database already has, are checked by `checking`.
    """
    raw = _read_yaml(text)
    faults = [
        f"{name}: there is no such section; there are {', '.join(SECTIONS)}" for name in raw if name not in SECTIONS
    ]
    sections: dict[str, dict[str, Spec]] = {}
    for section, kind in SECTIONS.items():
        entries = raw.get(section)
        if entries is None:
            continue
        if not isinstance(entries, dict):
            faults.append(f"{section}: must be a mapping of keys")
            continue
        parts = sections[section] = {}
        for key, entry in entries.items():
            if section != "models" and not _KEY.fullmatch(key):
                faults.append(f"{section}.{key}: a key is lower-case letters, digits, dots, dashes and underscores")
            try:
                parts[key] = msgspec.convert(entry, kind, dec_hook=read_value)
            except msgspec.ValidationError as error:
                faults.append(_place(f"{section}.{key}", str(error)))
    if faults:
        raise CatalogueFileInvalid(faults)
    return CatalogueSpec(**sections)  # type: ignore[arg-type]


def _read_yaml(text: str) -> dict[str, Any]:
    if len(text) > LONGEST_FILE:
        raise CatalogueFileInvalid([f"the file is larger than {LONGEST_FILE // 1024 // 1024} MiB"])
    try:
        # A SafeLoader with fewer constructors, not more.
        raw = yaml.load(text, Loader=_Loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise CatalogueFileInvalid([f"{where}{error.problem or 'this is not YAML'}"]) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise CatalogueFileInvalid([f"this is not YAML: {error}"]) from None
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise CatalogueFileInvalid([f"the file must be a mapping with the sections {', '.join(SECTIONS)}"])
    return raw


_AT: Final = re.compile(r" - at `\$(?P<path>.*)`$", re.DOTALL)


def _place(path: str, message: str) -> str:
    """``plans.pro.limits[0].unit: Invalid enum value 'call'`` from msgspec's wording."""
    found = _AT.search(message)
    if found is None:
        return f"{path}: {message}"
    return f"{path}{found['path'].replace('[...]', '')}: {message[: found.start()]}"
