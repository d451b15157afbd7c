"""Careful access to a decoded JSON body: every count is a whole number in range, or a named refusal."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

from kernel.units import MAX_AMOUNT, NANOUSD_PER_USD, NanoUsd
from kernel.usage import MAX_COUNT
from metering.readers.reading import UnreadableUsage

EMPTY: dict[str, Any] = {}


class Fields:
    """A JSON object and the path it was found at. A missing or null member counts as not reported."""

    __slots__ = ("members", "path")

    def __init__(self, members: dict[str, Any], path: str = "") -> None:
        self.members = members
        self.path = path

    def __contains__(self, name: str) -> bool:
        return self.members.get(name) is not None

    def at(self, name: str) -> str:
        """The path of a member, for a refusal."""
        return f"{self.path}.{name}" if self.path else name

    def count(self, name: str) -> int:
        """A whole number from 0 to MAX_COUNT; 0 where not reported. Raises UnreadableUsage."""
        value = self.members.get(name)
        if value is None:
            return 0
        if type(value) is int:
            number = value
        # Some SDKs type counts as floats (Cohere: 431.0). A fraction is not a count.
        elif type(value) is float and value.is_integer():
            number = int(value)
        else:
            raise UnreadableUsage(self.at(name), f"{_shown(value)} is not a whole number")
        if not 0 <= number <= MAX_COUNT:
            raise UnreadableUsage(self.at(name), f"{_shown(value)} is not between 0 and {MAX_COUNT}")
        return number

    def milliseconds(self, name: str) -> int:
        """A duration reported in seconds, as whole milliseconds. Raises UnreadableUsage."""
        value = self.members.get(name)
        if value is None:
            return 0
        if type(value) not in (int, float) or not 0 <= value <= MAX_COUNT // 1000:
            raise UnreadableUsage(self.at(name), f"{_shown(value)} is not a number of seconds")
        return round(Decimal(repr(value)) * 1000)

    def usd(self, name: str) -> NanoUsd | None:
        """Dollars as nano-USD, or None where not reported. Raises UnreadableUsage.

        The body's JSON float is read by its shortest decimal form, which is what the provider wrote
        (4.1400000000000003e-05 carries its own noise), then rounded once, half to even.
        """
        value = self.members.get(name)
        if value is None:
            return None
        if type(value) not in (int, float, Decimal):
            raise UnreadableUsage(self.at(name), f"{_shown(value)} is not an amount of dollars")
        dollars = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if not dollars.is_finite() or not 0 <= dollars <= MAX_AMOUNT // NANOUSD_PER_USD:
            raise UnreadableUsage(self.at(name), f"{_shown(value)} is not an amount that could have been charged")
        with localcontext(prec=60):
            return NanoUsd(int((dollars * NANOUSD_PER_USD).to_integral_value(ROUND_HALF_EVEN)))

    def text(self, name: str) -> str | None:
        """A non-empty string, or None where not reported. Raises UnreadableUsage."""
        value = self.members.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or len(value) > 256:
            raise UnreadableUsage(self.at(name), f"{_shown(value)} is not a string of at most 256 characters")
        return value

    def object(self, *names: str) -> "Fields":
        """The first of the named members that is there, as an object; an empty one where none is."""
        for name in names:
            value = self.members.get(name)
            if value is None:
                continue
            if not isinstance(value, dict):
                raise UnreadableUsage(self.at(name), f"{_shown(value)} is not an object")
            return Fields(value, self.at(name))
        return Fields(EMPTY, self.at(names[0]))

    def objects(self, *names: str) -> list["Fields"]:
        """The first of the named members that is there, as a list of objects; empty where none is."""
        for name in names:
            value = self.members.get(name)
            if value is None:
                continue
            if not isinstance(value, Sequence) or isinstance(value, str):
                raise UnreadableUsage(self.at(name), f"{_shown(value)} is not a list")
            for index, item in enumerate(value):
                if not isinstance(item, dict):
                    raise UnreadableUsage(f"{self.at(name)}[{index}]", f"{_shown(item)} is not an object")
            return [Fields(item, f"{self.at(name)}[{index}]") for index, item in enumerate(value)]
        return []


def agreed(*sources: tuple[Fields, Sequence[str]]) -> int:
    """One count that goes by several names: reported twice it must agree, and it is never added up.

    Raises UnreadableUsage. A gateway that adds its own spelling often leaves the other one at 0.
    """
    said = [(fields, name) for fields, names in sources for name in names if fields.members.get(name) is not None]
    counts = {fields.count(name) for fields, name in said}
    counts.discard(0)
    if len(counts) > 1:
        each = " and ".join(f"{fields.at(name)} {fields.count(name)}" for fields, name in said)
        fields, name = said[0]
        raise UnreadableUsage(fields.at(name), f"the same count is reported twice and differs: {each}")
    return counts.pop() if counts else 0


def _shown(value: object) -> str:
    # Python refuses to print integers of thousands of digits, which JSON may well hold.
    if isinstance(value, int) and value.bit_length() > 1_000:
        return "a number of hundreds of digits"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
