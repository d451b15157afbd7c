"""Calendar arithmetic: which period an instant lies in, and when something recurs.

Every occurrence is counted from the anchor, never from the one before it: a month that starts on
31 January is followed by 28 February and then by 31 March, where repeated addition would stay on
the 28th for good. Instants are in UTC, so a day is always 24 hours; periods are ``[start, end)``.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec
from dateutil.relativedelta import relativedelta

_WORDS: Final = {"hour": "PT1H", "day": "P1D", "week": "P1W", "month": "P1M", "year": "P1Y"}

_DURATION: Final = re.compile(
    r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?"
    r"(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?",
    re.ASCII,
)

_AVERAGE_MONTH: Final = timedelta(days=365.2425 / 12)


class BadInterval(ValueError):
    """Neither a word such as ``month`` nor an ISO 8601 duration of whole units such as ``P1M``."""


class Interval(msgspec.Struct, frozen=True):
    """The length of a period: calendar months, whose lengths differ, and a fixed rest."""

    months: int
    fixed: timedelta


@lru_cache(maxsize=64)
def parse_interval(text: str) -> Interval:
    """Read ``hour day week month year`` or a duration such as ``P1D P2W P1M P1Y PT6H``.

    Raises BadInterval, also for lengths of zero and for fractions, whose multiples are not exact.
    """
    match = _DURATION.fullmatch(_WORDS.get(text, text))
    if match is None:
        raise BadInterval(f"{text!r} is not an interval such as month, P1M or PT6H")
    years, months, weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    interval = Interval(
        months=12 * years + months,
        fixed=timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds),
    )
    if not interval.months and not interval.fixed:
        raise BadInterval(f"{text!r} is an interval of no length")
    return interval


def period_at(anchor: datetime, interval: str, at: datetime) -> tuple[datetime, datetime]:
    """The period ``[start, end)`` that `at` lies in. Raises BadInterval.

    The anchor only sets the phase: periods reach backwards from it as they do forwards.
    """
    length = parse_interval(interval)
    number = _number_at(anchor, length, at)
    return _occurrence(anchor, length, number), _occurrence(anchor, length, number + 1)


def occurrences(anchor: datetime, interval: str, since: datetime) -> Iterator[datetime]:
    """The starts of the periods, from the first at or after `since` on, without end. Raises BadInterval."""
    length = parse_interval(interval)
    number = _number_at(anchor, length, since)
    if _occurrence(anchor, length, number) < since:
        number += 1
    while True:
        yield _occurrence(anchor, length, number)
        number += 1


class Recurrence(msgspec.Struct, frozen=True):
    """Something that happens at the anchor and at every whole interval before and after it."""

    interval: str
    anchor: datetime

    def since(self, start: datetime) -> Iterator[datetime]:
        """When it happens, from the first at or after `start` on, without end."""
        return occurrences(self.anchor, self.interval, start)


def _occurrence(anchor: datetime, length: Interval, number: int) -> datetime:
    at = anchor + relativedelta(months=number * length.months) if length.months else anchor
    return at + number * length.fixed


def _number_at(anchor: datetime, length: Interval, at: datetime) -> int:
    """The number of the last occurrence at or before `at`; the anchor's own is 0."""
    # Exact for fixed lengths; for months a guess that the calendar corrects by a step or two.
    number = (at - anchor) // (length.months * _AVERAGE_MONTH + length.fixed)
    while _occurrence(anchor, length, number) > at:
        number -= 1
    while _occurrence(anchor, length, number + 1) <= at:
        number += 1
    return number
