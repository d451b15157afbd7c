"""Billing periods, counted from their anchor: 31 January, 28 February, 31 March."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

from sandbox.errors import Obj

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


def moved(anchor: int, recurring: Obj, times: int) -> int:
    """The anchor so many intervals later, or earlier; a day the month does not have becomes its last."""
    steps = times * recurring["interval_count"]
    start = datetime.fromtimestamp(anchor, UTC)
    if recurring["interval"] in _DAYS:
        return int((start + timedelta(days=_DAYS[recurring["interval"]] * steps)).timestamp())
    months = start.year * 12 + start.month - 1 + _MONTHS[recurring["interval"]] * steps
    year, month = divmod(months, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def next_boundary(anchor: int, recurring: Obj, after: int) -> int:
    """The first period end later than this instant."""
    times = 0
    while moved(anchor, recurring, times) <= after:
        times += 1
    return moved(anchor, recurring, times)
