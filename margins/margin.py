"""Gross margin: recognised revenue less the cost of what was delivered. Pure sums of exact amounts.

Amounts are femto-units of a stated currency (see margins/units.py). Currencies are never added up:
a margin exists only where revenue and every cost are in one currency.
"""

from collections.abc import Iterable

import msgspec

from margins.cost_lines import UsageTotals
from margins.currencies import ONE, Converted
from margins.recognition import RevenueKind
from margins.units import ratio

INFERENCE = "inference"
"""The COGS line that usage itself brings: the suppliers' cost stamped on its events, in USD."""

SUPPLIER_CURRENCY = "USD"

_NONE = UsageTotals()


class Amounts(msgspec.Struct, gc=False):
    """Revenue by kind and COGS by line, in femto-units of one currency."""

    revenue: dict[RevenueKind, int] = {}
    cogs: dict[str, int] = {}

    @property
    def total_revenue(self) -> int:
        return sum(self.revenue.values())

    @property
    def total_cogs(self) -> int:
        return sum(self.cogs.values())

    @property
    def is_zero(self) -> bool:
        return not any(self.revenue.values()) and not any(self.cogs.values())


class Margin(msgspec.Struct, gc=False):
    """The figures of one cut for customers who are billed in `currency`.

    `other` holds what came in other currencies, by currency: inference is paid in USD whoever uses it.
    `converted` is all of it in the reporting currency, where its report asked for that day by day; None: nothing is in
    any other currency than the reporting one, and the figures stand for themselves.
    """

    currency: str
    usage: UsageTotals = _NONE
    own: Amounts = msgspec.field(default_factory=Amounts)
    other: dict[str, Amounts] = {}
    converted: Converted | None = None

    def add_usage(self, usage: UsageTotals) -> None:
        self.usage = usage if self.usage is _NONE else self.usage.plus(usage)

    def revenue_in(self, currency: str) -> dict[RevenueKind, int]:
        """What was earned in a currency, femto-units by kind: to be added to."""
        return self._in(currency).revenue

    def add_cost(self, line: str, cost_femto: int, currency: str) -> None:
        cogs = self._in(currency).cogs
        cogs[line] = cogs.get(line, 0) + cost_femto

    def add(self, margin: "Margin") -> None:
        """Take in another cut of customers billed in the same currency."""
        if margin.currency != self.currency:
            raise ValueError(f"{margin.currency} cannot be added to {self.currency}")
        self.usage = self.usage.plus(margin.usage)
        if margin.converted is not None:
            if self.converted is None:
                self.converted = Converted()
            self.converted.add(margin.converted)
        for currency, amounts in ((self.currency, margin.own), *margin.other.items()):
            mine = self._in(currency)
            for kind, revenue in amounts.revenue.items():
                mine.revenue[kind] = mine.revenue.get(kind, 0) + revenue
            for line, cost in amounts.cogs.items():
                mine.cogs[line] = mine.cogs.get(line, 0) + cost

    @property
    def not_convertible(self) -> dict[str, Amounts]:
        """What is missing from the margin for want of an exchange rate, by currency."""
        return {currency: amounts for currency, amounts in sorted(self.other.items()) if not amounts.is_zero}

    @property
    def gross_margin(self) -> int | None:
        """Revenue less COGS; None while some of either is in another currency."""
        return None if self.not_convertible else self.own.total_revenue - self.own.total_cogs

    @property
    def margin_ratio(self) -> str | None:
        """Gross margin ÷ revenue to six places; None without revenue, or without a margin."""
        gross = self.gross_margin
        return None if gross is None else ratio(gross, self.own.total_revenue)

    @property
    def completeness(self) -> str | None:
        """Share of calls whose supplier cost is known, to six places; None without calls."""
        return ratio(self.usage.calls - self.usage.unpriced_calls, self.usage.calls)

    @property
    def reported(self) -> Converted:
        """Revenue and COGS in the reporting currency."""
        return self.converted or Converted(self.own.total_revenue * ONE, self.own.total_cogs * ONE)

    def _in(self, currency: str) -> Amounts:
        return self.own if currency == self.currency else self.other.setdefault(currency, Amounts())


def total(margins: Iterable[Margin]) -> list[Margin]:
    """The sums of many cuts: one for each billing currency, in order of their names."""
    totals: dict[str, Margin] = {}
    for margin in margins:
        totals.setdefault(margin.currency, Margin(margin.currency)).add(margin)
    return [totals[currency] for currency in sorted(totals)]


def reported_total(margins: Iterable[Margin]) -> Converted:
    """Many cuts together in the reporting currency, whatever their customers are billed in."""
    whole = Converted()
    for margin in margins:
        whole.add(margin.reported)
    return whole


def losses_first(margin: Margin) -> tuple[bool, int]:
    """Sort key: the largest loss first; what has no margin for want of an exchange rate comes last."""
    gross = margin.gross_margin
    return gross is None, gross or 0
