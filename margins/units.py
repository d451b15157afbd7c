"""Exact amounts of any currency, down to the femto-unit.

Revenue and supplier cost are whole nano-units. A cost of so much per million tokens, per credit
(a million microcredits) or per cent of revenue has six more places; kept as integer femto-units
(10⁻¹⁵) nothing in a margin is ever rounded, so sums over any cut agree to the last digit.
"""

from decimal import Decimal
from fractions import Fraction

from kernel.units import format_scaled

NANO_PER_UNIT = 10**9
FEMTO_PER_NANO = 10**6
FEMTO_PER_UNIT = NANO_PER_UNIT * FEMTO_PER_NANO

RATIO_PLACES = 6


def nano_of(amount: Decimal) -> int:
    """A decimal amount of money in whole nano-units. Raises ValueError when it has more than nine places."""
    scaled = amount.scaleb(9)
    nano = int(scaled)
    if nano != scaled:
        raise ValueError(f"{amount} has more than nine decimal places")
    return nano


def format_femto(amount: int) -> str:
    """Femto-units as the shortest exact decimal string: 1_500_000_000_000_000 → "1.5"."""
    return format_scaled(amount, 15)


def ratio(part: int, whole: int) -> str | None:
    """part ÷ whole as a decimal string, rounded half-even to six places; None when there is no whole.

    A ratio is the one figure here without an exact decimal; it is shown, never summed.
    """
    return format_scaled(round(Fraction(part * 10**RATIO_PLACES, whole)), RATIO_PLACES) if whole else None
