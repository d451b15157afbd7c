"""Request parameters: Stripe's bracket notation, and a reader that knows what was read.

A handler reads what it simulates. Whatever is left over was sent for a reason, so the request is refused
instead of pretending: an unknown field, a misspelt one, or a feature the sandbox does not have.
"""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import TypeAlias
from urllib.parse import parse_qsl

from sandbox.errors import InvalidRequest

Tree: TypeAlias = "dict[str, str | Tree]"
"""Decoded but untyped: form values are text; lists have their positions as keys."""

_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")


def decode(text: str) -> Tree:
    """``items[0][price]=p&expand[]=a`` as a tree. Raises InvalidRequest where a name cannot be read."""
    tree: Tree = {}
    for name, value in parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)):
        match = _NAME.match(name)
        if match is None:
            raise InvalidRequest(f"Invalid parameter name: {name}", param=name)
        _plant(tree, [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])], value, name)
    return tree


def _plant(tree: Tree, path: list[str], value: str, name: str) -> None:
    for step in path[:-1]:
        branch = tree.setdefault(step or str(len(tree)), {})
        if isinstance(branch, str):
            raise InvalidRequest(f"Invalid parameters: {name} is given both as a value and as an object", param=name)
        tree = branch
    tree[path[-1] or str(len(tree))] = value


class Params:
    """One level of the tree. Reading marks as read; `unread` names the rest."""

    def __init__(self, tree: Tree, path: str = "") -> None:
        self.tree = tree
        self._path = path
        self._read: set[str] = set()
        self._children: dict[str, Params] = {}

    def has(self, name: str) -> bool:
        return name in self.tree

    def path(self, name: str) -> str:
        return f"{self._path}[{name}]" if self._path else name

    def text(self, name: str) -> str | None:
        """The value; None where it is absent or, as Stripe's way to unset, empty."""
        self._read.add(name)
        value = self.tree.get(name)
        if isinstance(value, dict):
            raise InvalidRequest(f"Invalid string: {value}", param=self.path(name))
        return value or None

    def needed(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise InvalidRequest(
                f"Missing required param: {self.path(name)}.", code="parameter_missing", param=self.path(name)
            )
        return value

    def choice(self, name: str, default: str, allowed: Iterable[str]) -> str:
        value = self.text(name) or default
        if value not in allowed:
            raise InvalidRequest(f"Invalid {name}: must be one of {', '.join(allowed)}", param=self.path(name))
        return value

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"-?\d{1,18}", value):
            raise InvalidRequest(f"Invalid integer: {value}", code="parameter_invalid_integer", param=self.path(name))
        return int(value)

    def decimal(self, name: str) -> Decimal | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            return Decimal(value)
        except InvalidOperation:
            raise InvalidRequest(f"Invalid decimal: {value}", param=self.path(name)) from None

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.text(name)
        if value not in {None, "true", "false"}:
            raise InvalidRequest(f"Invalid boolean: {value}", param=self.path(name))
        return default if value is None else value == "true"

    def child(self, name: str) -> "Params":
        """A nested object; empty where it is absent or unset."""
        self._read.add(name)
        value = self.tree.get(name)
        if isinstance(value, str) and value:
            raise InvalidRequest("Invalid object", param=self.path(name))
        if name not in self._children:
            self._children[name] = Params(value if isinstance(value, dict) else {}, self.path(name))
        return self._children[name]

    def children(self, name: str) -> list["Params"]:
        """A list of objects, in order."""
        listed = self.child(name)
        return [listed.child(position) for position in listed.positions()]

    def texts(self, name: str) -> list[str]:
        """A list of values, in order."""
        listed = self.child(name)
        return [listed.needed(position) for position in listed.positions()]

    def mapping(self, name: str) -> dict[str, str]:
        """Free keys with text values, as metadata has; an empty value means: remove this key."""
        child = self.child(name)
        return {key: child.text(key) or "" for key in child.tree}

    def accept(self, *names: str) -> None:
        """Parameters that change nothing here: how a page looks, or what a stand-in has no use for."""
        for name in names:
            self._read.add(name)

    def positions(self) -> list[str]:
        if not all(key.isdigit() for key in self.tree):
            raise InvalidRequest("Invalid array", param=self._path)
        return sorted(self.tree, key=int)

    def unread(self) -> list[str]:
        """The paths of all that was sent and not read."""
        mine = [self.path(name) for name in self.tree if name not in self._read]
        return mine + [path for child in self._children.values() for path in child.unread()]
