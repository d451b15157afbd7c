"""How objects are shown: without what is private, and with references expanded where asked."""

from collections.abc import Callable
from typing import Any

from sandbox.errors import InvalidRequest, Obj

Lookup = Callable[[str], Obj | None]
Includable = Callable[[Obj], Any]

DEEPEST = 4
"""Levels an expansion may have."""


def public(obj: Obj) -> Obj:
    """A copy without the names that begin with an underscore, at any depth."""
    return {name: visible(item) for name, item in obj.items() if not name.startswith("_")}


def visible(value: Any) -> Any:
    """The same for any part of an object."""
    if isinstance(value, dict):
        return public(value)
    return [visible(item) for item in value] if isinstance(value, list) else value


def difference(before: Obj, after: Obj) -> Obj:
    """The old values of what changed, as an event's ``previous_attributes`` tells them."""
    changed: Obj = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            deeper = difference(old, new)
            if deeper:
                changed[name] = deeper
        elif old != new:
            changed[name] = old
    return {name: changed[name] for name in sorted(changed)}


class Expander:
    """Replaces ids by the objects they name, and adds the parts that are shown only when asked for."""

    def __init__(self, lookup: Lookup, includable: dict[tuple[str, str], Includable]) -> None:
        self._lookup = lookup
        self._includable = includable

    def expand(self, shown: Obj, path: str) -> None:
        """Expand in place. Raises InvalidRequest for a path that leads nowhere."""
        steps = path.split(".")
        if len(steps) > DEEPEST + (steps[0] == "data"):
            raise InvalidRequest(f"You cannot expand more than {DEEPEST} levels of a property.", param="expand")
        self._walk(shown, steps, path)

    def _walk(self, obj: Any, steps: list[str], path: str) -> None:
        if isinstance(obj, list):
            for item in obj:
                self._walk(item, steps, path)
            return
        if not steps or obj is None:
            return
        step, *rest = steps
        if not isinstance(obj, dict) or (step not in obj and (obj.get("object", ""), step) not in self._includable):
            raise InvalidRequest(
                f"This property cannot be expanded ({path}).", code="property_unexpandable", param="expand"
            )
        obj[step] = self._opened(obj, step, leaf=not rest, path=path)
        self._walk(obj[step], rest, path)

    def _opened(self, obj: Obj, step: str, *, leaf: bool, path: str) -> Any:
        include = self._includable.get((obj.get("object", ""), step))
        if include is not None and obj.get(step) is None:
            return visible(include(obj))
        value = obj[step]
        if isinstance(value, list):
            return [self._reference(item) or item for item in value]
        found = self._reference(value)
        if found is None and leaf and value is not None and not isinstance(value, dict):
            raise InvalidRequest(
                f"This property cannot be expanded ({path}).", code="property_unexpandable", param="expand"
            )
        return value if found is None else found

    def _reference(self, value: Any) -> Obj | None:
        found = self._lookup(value) if isinstance(value, str) else None
        return None if found is None else public(found)
