"""Asking the usage events of a stretch of days, and what follows from them."""

from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from kernel.sql_files import sql_file
from kernel.usage import COLUMN_FIELDS, FIELDS, Usage
from margins.people.asking import rows
from margins.queries.margins import Scope
from margins.recognition import day_start
from margins.savings.advice import Advice, advise
from margins.savings.caching import CacheUse, cache_uses
from margins.savings.hosting import Server, Threshold, thresholds
from margins.savings.saved import Saving, savings
from margins.savings.spend import STEPS, Model, Prices, Spend, Task, merged
from margins.savings.tiers import TaskTiers, task_tiers
from metering.costing.queries import current_catalogue
from plans.models import AIModel, Feature

_SUMS: Final = ", ".join(
    f"sum({field})" if field in COLUMN_FIELDS else f"coalesce(sum((other_usage->>'{field}')::bigint), 0)"
    for field in FIELDS
)


@dataclass(frozen=True, slots=True)
class Savings:
    """All there is to say about the calls of some days. Events that left for the archive are not among them."""

    saved: list[Saving]
    advice: list[Advice]
    caches: list[CacheUse]
    tasks: list[TaskTiers]
    hosting: list[Threshold]
    calls: int
    cost_nanousd: int
    unpriced_calls: int
    """Calls left out of what was saved or could be: nobody knows what they cost."""

    @property
    def saved_nanousd(self) -> int:
        return sum(one.saved_nanousd for one in self.saved)

    @property
    def would_save_nanousd(self) -> int:
        return sum(one.together_nanousd for one in self.advice)


def savings_of(scope: Scope, *, server: Server | None = None) -> Savings:
    """What was saved on these days and would have been, from every event of them."""
    prices = Prices(current_catalogue())
    spends = merged(spends_of(scope), prices)
    uses = cache_uses(spends, prices)
    return Savings(
        savings(spends, prices),
        advise(spends, uses, prices),
        uses,
        task_tiers(spends, prices),
        thresholds(spends, days=(scope.end - scope.start).days, server=server or Server()),
        sum(spend.calls for spend in spends),
        sum(spend.cost_nanousd for spend in spends),
        sum(spend.calls - spend.priced_calls for spend in spends),
    )


def spends_of(scope: Scope) -> list[Spend]:
    """The events of these days, summed as far as their prices allow."""
    features = dict(Feature.objects.values_list("id", "key"))
    ranks = {key: (tier, rank) for key, tier, rank in AIModel.objects.values_list("key", "tier__key", "tier__rank")}
    parameters = {
        "above": [step + 1 for step in STEPS],
        "since": day_start(scope.start),
        "until": day_start(scope.end),
        "customers": None if scope.customer_ids is None else list(scope.customer_ids),
    }
    statement = sql_file("margins", "spend").replace("{sums}", _SUMS)
    return [_spend(row, features, ranks) for row in rows(statement, parameters)]


def events_are_few(most: int) -> bool:
    """Whether there are at most about so many events, as of their table's last ANALYZE: asking them all is quick."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = 'usage_event'::regclass")
        (about,) = cursor.fetchone()
    return bool(about <= most)


def _spend(row: tuple[Any, ...], features: dict[int, str], ranks: dict[str, tuple[str, int]]) -> Spend:
    day, feature_id, action, provider, model, reported, processing, region, memoised, bucket, *sums = row
    calls, priced, cost, *counts = map(int, sums)
    return Spend(
        day=day,
        task=Task(features.get(feature_id, ""), action),
        model=Model(model or reported, provider, reported or model, *ranks.get(model, ())),
        processing=processing,
        region=region,
        step=STEPS[bucket - 1] + 1 if bucket else 0,
        memoised=memoised,
        calls=calls,
        priced_calls=priced,
        cost_nanousd=cost,
        usage=Usage(**dict(zip(FIELDS, counts, strict=True))),
    )
