"""Margin month by month, from the days. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from margins.margin import INFERENCE, Margin
from margins.queries.margins import MarginRow
from margins.units import ratio


class Month(NamedTuple):
    """A calendar month, by its first day, as far as the period reaches."""

    month: date
    margin: Margin

    @property
    def inference_ratio(self) -> str | None:
        """Inference ÷ revenue to six places; None without revenue."""
        return inference_ratio(self.margin)


def inference_ratio(margin: Margin) -> str | None:
    """What share of revenue AI costs: inference ÷ revenue to six places; None without revenue, or in two currencies."""
    return None if margin.not_convertible else ratio(margin.own.cogs.get(INFERENCE, 0), margin.own.total_revenue)


def by_month(by_day: Sequence[MarginRow]) -> list[Month]:
    """Rows of one billing currency by day, merged by calendar month."""
    months: dict[date, Margin] = {}
    for row in by_day:
        day = row.key[0]
        if isinstance(day, date):
            months.setdefault(day.replace(day=1), Margin(row.margin.currency)).add(row.margin)
    return [Month(month, months[month]) for month in sorted(months)]
