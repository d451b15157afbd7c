"""What applying a catalogue file would change: a comparison of two catalogues in plain form. Pure.

``+`` is new, ``~`` differs, ``-`` goes, ``^`` is published. What the file does not mention stays.
"""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from plans.catalogue_file.problems import CatalogueRefused
from plans.catalogue_file.spec import (
    SECTIONS,
    CatalogueSpec,
    PlanSpec,
    RateCardVersionSpec,
    Spec,
    Stored,
    StoredVersion,
    plain,
    plan_terms,
)

Sign = Literal["+", "~", "-", "^"]


class Line(msgspec.Struct, frozen=True):
    """One member that differs: ``~ price: 49 USD → 59 USD``."""

    sign: Sign
    text: str


class Change(msgspec.Struct, frozen=True):
    """One part to write, or a version to publish. `number` is the version's, where there are versions.

    `replaces` is the number a draft had before the file gave it another.
    """

    sign: Sign
    section: str
    key: str
    title: str
    lines: tuple[Line, ...] = ()
    number: int | None = None
    replaces: int | None = None


def compare(file: CatalogueSpec, stored: Stored, *, publish: bool) -> list[Change]:
    """The changes that make the database say what the file says, in the order to make them.

    Raises CatalogueRefused when the file contradicts a published version of the same number.
    """
    faults: list[str] = []
    changes: list[Change] = []
    for section in SECTIONS:
        for key, part in getattr(file, section).items():
            known = getattr(stored.spec, section).get(key)
            match section:
                case "rate_cards":
                    changes += _named(section, key, part, known, members=("name",))
                    changes += _rate_card(key, part.versions, stored.rate_card_versions.get(key, {}), publish, faults)
                case "plans":
                    known = stored.plan_names.get(key)
                    changes += _named(section, key, part, known, members=("name", "description"))
                    changes += _plan(key, part, stored.plan_versions.get(key, {}), publish, faults)
                case _:
                    changes += _named(section, key, part, known)
    if faults:
        raise CatalogueRefused(faults)
    # Cards first: a plan is only published on a card that is.
    return [change for change in changes if change.sign != "^"] + [change for change in changes if change.sign == "^"]


def unmentioned(file: CatalogueSpec, stored: Stored) -> list[str]:
    """What the database has and the file does not mention, which is left alone: ``plans.legacy``."""
    return [
        f"{section}.{key}"
        for section in SECTIONS
        for key in getattr(stored.spec, section)
        if key not in getattr(file, section)
    ]


def _named(
    section: str, key: str, part: Spec, known: Spec | None, *, members: tuple[str, ...] = ()
) -> Iterator[Change]:
    """The change to a part without versions, or to the `members` of one that are outside its versions."""

    def shown(spec: Spec, *, complete: bool) -> dict[str, Any]:
        form: dict[str, Any] = plain(spec, complete=complete)
        return {name: form[name] for name in members if name in form} if members else form

    if known is None:
        yield Change("+", section, key, f"{section}.{key}", tuple(_added(shown(part, complete=False))))
        return
    lines = tuple(differences(shown(known, complete=True), shown(part, complete=True)))
    if lines:
        yield Change("~", section, key, f"{section}.{key}", lines)


def _rate_card(
    key: str,
    versions: list[RateCardVersionSpec],
    stored: dict[int, StoredVersion],
    publish: bool,
    faults: list[str],
) -> Iterator[Change]:
    for version in versions:
        title = f"rate_cards.{key} v{version.number}"
        known = stored.get(version.number)
        if known is not None and not known.is_draft:
            faults += _contradictions(title, known, version, "Leave it as it is and add a version with a later date.")
            continue
        yield from _draft("rate_cards", key, version, version.number, known, title, publish)


def _plan(
    key: str, plan: PlanSpec, stored: dict[int, StoredVersion], publish: bool, faults: list[str]
) -> Iterator[Change]:
    terms = plan_terms(plan)
    fixed = {number: version for number, version in stored.items() if not version.is_draft}
    draft = next((number for number, version in stored.items() if version.is_draft), None)
    newest = max(fixed, default=0)
    number = plan.version
    if number is None:
        if newest and fixed[newest].status == "published" and not _differ(fixed[newest].terms, terms):
            return
        number = draft or newest + 1
    title = f"plans.{key} v{number}"
    if number in fixed:
        faults += _contradictions(
            title, fixed[number], terms, f"Give the file's version another number: the next is {draft or newest + 1}."
        )
        return
    if number < newest:
        faults.append(f"{title}: there is no such version, and v{newest} is already there; the next is {newest + 1}")
        return
    known = stored[draft] if draft else None
    base = fixed.get(newest)
    yield from _draft("plans", key, terms, number, known, title, publish, base=base, replaces=draft)


def _draft(
    section: str,
    key: str,
    wanted: Spec,
    number: int,
    known: StoredVersion | None,
    title: str,
    publish: bool,
    base: StoredVersion | None = None,
    replaces: int | None = None,
) -> Iterator[Change]:
    """The change to a version that may change, and its publication."""
    if known is None:
        compared = differences(_complete(base.terms), _complete(wanted)) if base else _added(plain(wanted))
        yield Change("+", section, key, f"{title} (draft)", tuple(compared), number)
    else:
        lines = tuple(differences(_complete(known.terms), _complete(wanted)))
        if replaces is not None and replaces != number:
            lines = (Line("~", f"version: {replaces} → {number}"), *lines)
        if lines:
            yield Change("~", section, key, f"{title} (draft)", lines, number, replaces)
    if publish:
        yield Change("^", section, key, title, number=number)


def _contradictions(title: str, known: StoredVersion, wanted: Spec, remedy: str) -> Iterator[str]:
    lines = list(_differ(known.terms, wanted))
    if lines:
        said = "".join(f"\n    {line.sign} {line.text}" for line in lines)
        yield f"{title} is {known.status} and does not change. {remedy} The file differs in:{said}"


def _differ(known: Spec, wanted: Spec) -> list[Line]:
    return list(differences(_complete(known), _complete(wanted)))


def _complete(spec: Spec) -> dict[str, Any]:
    form: dict[str, Any] = plain(spec, complete=True)
    return form


def differences(old: Any, new: Any, path: str = "") -> Iterator[Line]:
    """Line by line what makes `old` into `new`. Lists of parts are compared by what their parts are about."""
    if old == new:
        return
    before, after = _parts(old), _parts(new)
    if before is None or after is None:
        yield Line("~", f"{path}: {shown(old)} → {shown(new)}")
        return
    for name in [*before, *(name for name in after if name not in before)]:
        place = f"{path}.{name}" if path else name
        if name not in after:
            yield Line("-", f"{place}: {shown(before[name])}")
        elif name not in before:
            yield Line("+", f"{place}: {shown(after[name])}")
        else:
            yield from differences(before[name], after[name], place)


def _added(form: dict[str, Any]) -> Iterator[Line]:
    for name, value in form.items():
        parts = _parts(value) if isinstance(value, list) else None
        if parts:
            yield from (Line("+", f"{name}.{part}: {shown(item)}") for part, item in parts.items())
        else:
            yield Line("+", f"{name}: {shown(value)}")


def _parts(node: Any) -> dict[str, Any] | None:
    """Named parts: a mapping's members, or a list's items by what each is about. None: compare as a whole."""
    if isinstance(node, dict):
        return node
    if isinstance(node, list) and all(isinstance(item, dict) for item in node):
        return {_about(item): item for item in node}
    return None


def _about(item: dict[str, Any]) -> str:
    """A limit is about its key; a rate and an entitlement about the feature, model and tier they name."""
    if "key" in item:
        return str(item["key"])
    return " · ".join(str(item[name]) for name in ("feature", "model", "tier") if item.get(name)) or "everything"


def shown(value: Any) -> str:
    """A value on one line, as YAML would write it; members that say nothing are left out."""
    if isinstance(value, dict):
        said = {name: item for name, item in value.items() if item not in (None, [], {})}
        return "{" + ", ".join(f"{name}: {shown(item)}" for name, item in said.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    if value is None:
        return "none"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
