"""Cutting a stretch of days so that within one slice every cost line either holds or does not. Pure.

Everything recognised evenly over time is cumulative, so a slice of any length costs one subtraction
per subscription and a year by customer is no dearer than a day.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from margins.cost_lines import LineTerms
from margins.recognition import day_start

_DAY = timedelta(days=1)


class Slice(NamedTuple):
    """UTC days [first_day, end_day), counted until `ends_at`: on the current day, until now."""

    first_day: date
    end_day: date
    ends_at: datetime

    @property
    def starts_at(self) -> datetime:
        return day_start(self.first_day)


def slices(start: date, end: date, *, daily: bool, lines: Iterable[LineTerms], now: datetime) -> list[Slice]:
    """The days [start, end) that have begun by `now`: day by day, or cut only where a cost line starts or ends."""
    end = min(end, now.date() + _DAY)
    if start >= end:
        return []
    if daily:
        bounds = [start + _DAY * number for number in range((end - start).days)]
    else:
        changes = {day for line in lines for day in (line.starts_on, line.ends_on) if day is not None}
        bounds = sorted({start, *(day for day in changes if start < day < end)})
    return [
        Slice(first, last, min(day_start(last), now)) for first, last in zip(bounds, [*bounds[1:], end], strict=True)
    ]
