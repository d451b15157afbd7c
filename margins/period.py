"""The stretch of days a report is about: [start, end) in UTC, by default the last 30 with today."""

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from kernel.errors import InvalidInput

DEFAULT_DAYS: Final = 30
MAX_DAYS: Final = 366

EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2200, 1, 1)


class Period(NamedTuple):
    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days


def period_of(start: date | None, end: date | None, now: datetime) -> Period:
    """The days asked for. Raises InvalidInput naming `from` or `to`."""
    end = end or now.date() + timedelta(days=1)
    if not EARLIEST <= end < LATEST:
        raise InvalidInput("must be between the years 2000 and 2200", field="to")
    start = start or end - timedelta(days=DEFAULT_DAYS)
    if not EARLIEST <= start < LATEST:
        raise InvalidInput("must be between the years 2000 and 2200", field="from")
    if start >= end:
        raise InvalidInput("must be later than from", field="to")
    period = Period(start, end)
    if period.days > MAX_DAYS:
        raise InvalidInput(f"must be at most {MAX_DAYS} days after from", field="to")
    return period


def usual_periods(now: datetime) -> list[tuple[str, Period]]:
    """The stretches people ask for, with what to call them."""
    today = now.date()
    tomorrow = today + timedelta(days=1)
    this_month = today.replace(day=1)
    last_month = (this_month - timedelta(days=1)).replace(day=1)
    return [
        ("7 days", Period(tomorrow - timedelta(days=7), tomorrow)),
        ("30 days", Period(tomorrow - timedelta(days=30), tomorrow)),
        ("90 days", Period(tomorrow - timedelta(days=90), tomorrow)),
        ("This month", Period(this_month, tomorrow)),
        ("Last month", Period(last_month, this_month)),
    ]
