"""Margins of several currencies in one, at each day's own rate. Pure, and exact.

Rates have ten decimal places, so amounts in the reporting currency are kept to 10⁻²⁵ and are never
rounded: they sum to the same whatever they are cut by.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import msgspec

from kernel.units import format_scaled
from margins.units import ratio

RATE_PLACES: Final = 10
ONE: Final = 10**RATE_PLACES
"""The rate of a currency into itself."""

MAX_AGE: Final = timedelta(days=7)
"""Banks publish no rates on weekends and holidays: a day takes the latest of the week before it, none that is older."""


class Rates:
    """What currencies were worth in the reporting currency, by day; rates are ten-billionths."""

    def __init__(self, into: str, known: Mapping[tuple[str, date], int]) -> None:
        self.into = into
        self._known = known
        self._found: dict[tuple[str, date], int | None] = {}

    def of(self, currency: str, day: date) -> int | None:
        """The rate of that day, or the latest of the week before; None where nobody knows it."""
        if currency == self.into:
            return ONE
        key = (currency, day)
        if key not in self._found:
            days = (day - timedelta(days=age) for age in range(MAX_AGE.days + 1))
            self._found[key] = next(
                (self._known[currency, one] for one in days if (currency, one) in self._known), None
            )
        return self._found[key]


class Converted(msgspec.Struct):
    """Revenue and COGS in the reporting currency, in 10⁻²⁵ units, as far as there were rates."""

    revenue: int = 0
    cogs: int = 0
    missing: set[tuple[str, date]] = set()
    """The currencies and days without a rate: what was then is missing from both."""

    def add_revenue(self, femto: int, currency: str, day: date, rates: Rates) -> None:
        rate = rates.of(currency, day)
        if rate is None:
            self.missing.add((currency, day))
        else:
            self.revenue += femto * rate

    def add_cost(self, femto: int, currency: str, day: date, rates: Rates) -> None:
        rate = rates.of(currency, day)
        if rate is None:
            self.missing.add((currency, day))
        else:
            self.cogs += femto * rate

    def add(self, other: "Converted") -> None:
        self.revenue += other.revenue
        self.cogs += other.cogs
        self.missing |= other.missing

    @property
    def gross_margin(self) -> int | None:
        """None while some of the money has no rate."""
        return None if self.missing else self.revenue - self.cogs

    @property
    def margin_ratio(self) -> str | None:
        gross = self.gross_margin
        return None if gross is None else ratio(gross, self.revenue)


def format_converted(amount: int) -> str:
    """An amount in the reporting currency as the shortest exact decimal string."""
    return format_scaled(amount, 15 + RATE_PLACES)
