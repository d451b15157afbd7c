"""A CatalogueSpec as YAML that reads well: amounts bare, small parts on one line."""

from decimal import Decimal
from typing import Any, Final

import yaml

from plans.catalogue_file.changes import shown
from plans.catalogue_file.spec import SECTIONS, CatalogueSpec, plain

LONGEST_PART: Final = 100
"""Characters a part may take to be written on one line."""


class _Instant(str):
    """A time as text, to be written without quotes."""

    __slots__ = ()


class _Section(dict[str, Any]):
    """A mapping that is written one entry a line, however small it is."""


class _Dumper(yaml.SafeDumper):
    """Block style, except for parts small enough for one line."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Items of a list are indented below their key."""
        super().increase_indent(flow, False)

    def exact_number(self, number: Decimal) -> yaml.ScalarNode:
        kind = "int" if number == number.to_integral_value() else "float"
        return self.represent_scalar(f"tag:yaml.org,2002:{kind}", f"{number:f}")

    def instant(self, instant: "_Instant") -> yaml.ScalarNode:
        """A day for its first instant in UTC, as the reader takes it."""
        return self.represent_scalar("tag:yaml.org,2002:timestamp", instant.removesuffix("T00:00:00Z"))

    def mapping(self, mapping: dict[str, Any]) -> yaml.MappingNode:
        return self.represent_mapping("tag:yaml.org,2002:map", mapping.items(), flow_style=_fits(mapping))

    def section(self, section: _Section) -> yaml.MappingNode:
        return self.represent_mapping("tag:yaml.org,2002:map", section.items(), flow_style=False)

    def sequence(self, items: list[Any]) -> yaml.SequenceNode:
        return self.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=_fits(items))


_Dumper.add_representer(Decimal, _Dumper.exact_number)
_Dumper.add_representer(_Instant, _Dumper.instant)
_Dumper.add_representer(_Section, _Dumper.section)
_Dumper.add_representer(dict, _Dumper.mapping)
_Dumper.add_representer(list, _Dumper.sequence)


def _fits(node: dict[str, Any] | list[Any]) -> bool:
    """Small enough to read as ``{a: 1, b: 2}``: at most one level of lists or mappings inside."""
    children = node.values() if isinstance(node, dict) else node
    deep = any(
        isinstance(grandchild, dict | list)
        for child in children
        if isinstance(child, dict | list)
        for grandchild in (child.values() if isinstance(child, dict) else child)
    )
    return bool(node) and not deep and len(shown(node)) <= LONGEST_PART


def write_catalogue(spec: CatalogueSpec) -> str:
    """The file for a catalogue. Reading it again gives an equal one."""
    parts = []
    for section in SECTIONS:
        entries = {key: _readable(plain(part)) for key, part in getattr(spec, section).items()}
        if entries:
            whole = _Section({section: _Section(entries)})
            parts.append(yaml.dump(whole, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=LONGEST_PART + 50))
    return "\n".join(parts)


def _readable(entry: dict[str, Any]) -> dict[str, Any]:
    """The name first, and times as times."""
    for version in entry.get("versions", ()):
        version["from"] = _Instant(version["from"])
    first = {name: entry[name] for name in ("name", "description", "version") if name in entry}
    return first | entry
