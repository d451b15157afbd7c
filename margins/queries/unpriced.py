"""Calls whose supplier cost nobody knows, by model: what to price first."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Count, Sum

from margins.queries.margins import MarginRow, Scope
from metering.models import UsageDay


class UnpricedModel(NamedTuple):
    """`model` is the catalogue's key or the reported id, "" where usage named none."""

    model: str
    unpriced_calls: int
    calls: int
    tokens: int
    customers: int


def unpriced_models(scope: Scope) -> Sequence[UnpricedModel]:
    """Models with unpriced calls on these days, most calls first. `tokens` includes their priced calls'."""
    days = UsageDay.objects.filter(day__gte=scope.start, day__lt=scope.end, unpriced_calls__gt=0)
    if scope.customer_ids is not None:
        days = days.filter(customer_id__in=scope.customer_ids)
    sums = (
        days.values("model")
        .annotate(
            unpriced=Sum("unpriced_calls"),
            all_calls=Sum("calls"),
            tokens=Sum("input_tokens") + Sum("output_tokens"),
            customers=Count("customer_id", distinct=True),
        )
        .order_by("-unpriced", "model")
    )
    return [
        UnpricedModel(
            row["model"], int(row["unpriced"]), int(row["all_calls"]), int(row["tokens"]), int(row["customers"])
        )
        for row in sums
    ]


def unpriced_of_one(by_model: Sequence[MarginRow]) -> Sequence[UnpricedModel]:
    """The same of one customer, whose rows by model are at hand."""
    found = [
        UnpricedModel(str(row.key[0] or ""), usage.unpriced_calls, usage.calls, usage.tokens, 1)
        for row in by_model
        if (usage := row.margin.usage).unpriced_calls
    ]
    return sorted(found, key=lambda one: (-one.unpriced_calls, one.model))
