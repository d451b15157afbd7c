"""A customer's usage: the events, and sums of them by day, feature, model or user."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet, Sum

from metering.models import UsageDay, UsageEvent
from metering.models.rollup import UsageSums
from plans.models import Feature

GROUPS: Final[Mapping[str, str]] = {"day": "day", "feature": "feature_id", "model": "model", "user": "user_key"}
"""What usage can be grouped by → the rollup's column."""

SUMS: Final = tuple(field.name for field in UsageSums._meta.get_fields())  # noqa: SLF001 - Django's documented API


def events_of(
    customer_id: int,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    feature_id: int | None = None,
    model: str | None = None,
    user: str | None = None,
) -> "QuerySet[UsageEvent]":
    """A customer's events of [start, end)."""
    given = {
        "occurred_at__gte": start,
        "occurred_at__lt": end,
        "feature_id": feature_id,
        "model": model,
        "user_key": user,
    }
    return UsageEvent.objects.filter(customer_id=customer_id, **_given(given))


def sums_of(
    customer_id: int,
    *,
    group_by: str,
    start: datetime | None = None,
    end: datetime | None = None,
    feature_id: int | None = None,
    model: str | None = None,
    user: str | None = None,
) -> "QuerySet[UsageDay, dict[str, Any]]":
    """Sums per group over whole UTC days of [start, end), from the daily rollups. One row per value of the group."""
    given = {
        "day__gte": start and start.date(),
        "day__lt": end and end.date(),
        "feature_id": feature_id,
        "model": model,
        "user_key": user,
    }
    days = UsageDay.objects.filter(customer_id=customer_id, **_given(given))
    sums: QuerySet[UsageDay, dict[str, Any]] = days.values(GROUPS[group_by]).annotate(
        **{name: Sum(name) for name in SUMS}
    )
    return sums


def feature_keys(ids: set[int]) -> Mapping[int, str]:
    """Feature id → key."""
    return dict(Feature.objects.filter(pk__in=ids).values_list("id", "key"))


def _given(filters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value is not None}
