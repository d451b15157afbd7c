"""Figures as people read them: rounded for the eye. Exact ones are in the API and the CSV files."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from margins.units import FEMTO_PER_UNIT

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_SMALLEST = Decimal("0.01")

NEARLY_COMPLETE: Final = Decimal("0.99")
"""From here on what lacks a price hardly moves a margin: the figure says so, and needs no colour."""

HALF_BLIND: Final = Decimal("0.90")
"""Below this a margin says little."""


def money(femto: int, currency: str) -> str:
    """ "$1,234.50", "−$3.00", "$0.0014": two places, or two digits where two places would show nothing."""
    amount = Decimal(abs(femto)) / FEMTO_PER_UNIT
    places = 2
    if 0 < amount < _SMALLEST:
        places = min(9, 1 - amount.adjusted())
    text = f"{round(amount, places):,.{places}f}"
    sign = "−" if femto < 0 and Decimal(text.replace(",", "")) else ""
    return f"{sign}{_SIGNS.get(currency, f'{currency} ')}{text}"


def percent(ratio: str | None) -> str:
    """ "0.882943" as "88.3 %"; a dash for none."""
    if ratio is None:
        return "–"
    shown = (Decimal(ratio) * 100).quantize(Decimal("0.1"), rounding=ROUND_HALF_EVEN)
    return f"{shown:,.1f} %".replace("-", "−")


def completeness_tone(ratio: str | None) -> str:
    """How far a margin with this share of its calls priced may be trusted: "" (well), "caution" or "loss"."""
    if ratio is None or Decimal(ratio) >= NEARLY_COMPLETE:
        return ""
    return "caution" if Decimal(ratio) >= HALF_BLIND else "loss"


def count(number: int) -> str:
    return f"{number:,}"
