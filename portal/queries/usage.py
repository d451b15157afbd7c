"""Usage of some days by feature, model or user, and day by day."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

from django.db.models import Sum

from metering.models import UsageDay
from plans.models import Feature

COLUMNS: Final[Mapping[str, str]] = {"feature": "feature_id", "model": "model", "user": "user_key"}
"""What usage is shown by → the rollup's column."""

MOST_ROWS: Final = 100


class Row(NamedTuple):
    """A feature, model or user ("" where calls named none). Microcredits."""

    name: str
    calls: int
    used: int
    unrated: int


class Usage(NamedTuple):
    """What was used in some days, the most first. `more` is how many rows are left out; `days` has every day."""

    rows: list[Row]
    more: int
    total: Row
    days: list[tuple[date, int]]


def usage_of(customer_id: int, by: str, start: date, end: date) -> Usage:
    """The usage of the UTC days [start, end)."""
    days = UsageDay.objects.filter(customer_id=customer_id, day__gte=start, day__lt=end)
    column = COLUMNS[by]
    sums = list(
        days.values_list(column)
        .annotate(calls=Sum("calls"), used=Sum("charged_microcredits"), unrated=Sum("unrated_calls"))
        .order_by("-used", "-calls", column)
    )
    names = _feature_names({key for key, *_ in sums}) if by == "feature" else {}
    rows = [Row(names.get(key, "") if by == "feature" else key, *figures) for key, *figures in sums]
    total = Row("", sum(row.calls for row in rows), sum(row.used for row in rows), sum(row.unrated for row in rows))
    by_day = dict(days.values_list("day").annotate(used=Sum("charged_microcredits")))
    every = [start + timedelta(days=number) for number in range((end - start).days)]
    return Usage(rows[:MOST_ROWS], max(0, len(rows) - MOST_ROWS), total, [(day, by_day.get(day, 0)) for day in every])


def _feature_names(ids: set[int]) -> Mapping[int, str]:
    return dict(Feature.objects.filter(pk__in=ids).values_list("id", "name"))
