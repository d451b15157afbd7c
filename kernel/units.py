"""Exact amounts: microcredits, nano-USD, and their decimal-string form in JSON.

Everything that is stored or summed is an integer of the smallest unit we keep. A decimal string is
read exactly or refused; nothing here rounds.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import NewType

Microcredits = NewType("Microcredits", int)
"""Millionths of a credit, signed."""

NanoUsd = NewType("NanoUsd", int)
"""Billionths of a US dollar, signed."""

MICROCREDITS_PER_CREDIT = 1_000_000
NANOUSD_PER_USD = 1_000_000_000

# A thousand times below the largest BIGINT, so that a sum of many stays inside one.
MAX_AMOUNT = 9_000_000_000_000_000


_PLAIN = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")


class InexactAmount(ValueError):
    """A decimal that has more places than the unit keeps, or is not a plain number."""


def _parse_scaled(text: str | int, scale: int, places: int, unit: str) -> int:
    if isinstance(text, bool) or not isinstance(text, str | int):
        raise InexactAmount(f'{unit} must be a decimal string such as "1.5"')
    if isinstance(text, str) and not _PLAIN.fullmatch(text):
        raise InexactAmount(f'{unit} must be a plain decimal string such as "1.5"')
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise InexactAmount(f"{text!r} is not a decimal number of {unit}") from None
    if not value.is_finite():
        raise InexactAmount(f"{text!r} is not a finite number of {unit}")
    # Compared before scaling: a huge exponent must not build a huge integer.
    if abs(value) > MAX_AMOUNT // scale:
        raise InexactAmount(f"{text} {unit} is more than {MAX_AMOUNT // scale}")
    scaled = value * scale
    if scaled != scaled.to_integral_value():
        raise InexactAmount(f"{text} {unit} has more than {places} decimal places")
    return int(scaled)


def parse_credits(text: str | int) -> Microcredits:
    """Read a decimal string of credits into microcredits. Raises InexactAmount."""
    return Microcredits(_parse_scaled(text, MICROCREDITS_PER_CREDIT, 6, "credits"))


def parse_usd(text: str | int) -> NanoUsd:
    """Read a decimal string of US dollars into nano-USD. Raises InexactAmount."""
    return NanoUsd(_parse_scaled(text, NANOUSD_PER_USD, 9, "USD"))


def format_scaled(amount: int, places: int) -> str:
    """An integer of 10^-places as the shortest exact decimal string."""
    whole, fraction = divmod(abs(amount), 10**places)
    sign = "-" if amount < 0 else ""
    return f"{sign}{whole}.{fraction:0{places}d}".rstrip("0") if fraction else f"{sign}{whole}"


def format_credits(amount: int) -> str:
    """Microcredits as the shortest exact decimal string of credits: 1_500_000 → "1.5"."""
    whole, fraction = divmod(amount, MICROCREDITS_PER_CREDIT)
    if not fraction:
        return str(whole)
    if whole < 0:
        return format_scaled(amount, 6)
    return f"{whole}.{fraction:06d}".rstrip("0")


def format_usd(amount: int) -> str:
    """Nano-USD as the shortest exact decimal string of dollars: 1_360_000 → "0.00136"."""
    return format_scaled(amount, 9)
