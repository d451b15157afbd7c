"""The facts of a stretch of days: usage, revenue and costs per customer, cut by the database as asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from django.db import connection

from margins.cost_lines import LineTerms, UsageTotals
from margins.inference import InferenceCost
from margins.queries.ledger_sql import fragment
from margins.queries.money_sql import line_parameters, money_sources, usage_rollup, whole_months
from margins.recognition import RevenueKind
from margins.slices import Slice
from margins.units import FEMTO_PER_NANO


@dataclass(frozen=True, slots=True)
class Grain:
    """What rows are cut by. Values that cost lines name are kept apart even where the cut merges the rest."""

    customer: bool = False
    plan: bool = False
    feature: bool = False
    model: bool = False
    user: bool = False
    cohort: bool = False
    named_customers: Sequence[int] = ()
    named_plan_versions: Sequence[int] = ()
    named_features: Sequence[int] = ()

    @property
    def of_usage(self) -> bool:
        """Whether it is finer than a customer's day, so that what belongs to the day has to be shared out."""
        return self.feature or self.model or self.user


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where an amount belongs. None: not cut by that; 0 or "": cut, and it belongs to none."""

    slice: int
    """Index into the slices asked for."""
    currency: str
    """The currency the customer is billed in."""
    customer_id: int | None
    plan_version_id: int | None
    feature_id: int | None
    model: str | None
    user_key: str | None
    cohort: date | None
    """The first day of the month of the customer's first subscription."""


class UsageFact(msgspec.Struct, frozen=True, gc=False):
    place: Place
    usage: UsageTotals
    cost_nanousd: int


class RevenueFact(msgspec.Struct, frozen=True, gc=False):
    place: Place
    kind: RevenueKind
    revenue_nano: int
    currency: str


class CostFact(msgspec.Struct, frozen=True, gc=False):
    """What a line came to whose basis does not follow from a row's own usage or revenue."""

    place: Place
    line_id: int
    cost_femto: int
    currency: str


def usage_facts(
    slices: Sequence[Slice],
    grain: Grain,
    customer_ids: Sequence[int] | None,
    inference: InferenceCost = InferenceCost.STAMPED,
) -> Iterator[UsageFact]:
    """Usage and its supplier cost, the one that counts, from the rollups."""
    ctes = ", ".join(fragment(name) for name in ("slice", "cohort", usage_rollup(whole_months(slices), grain.user)))
    parameters = _parameters(slices, grain, customer_ids) | {"inference": inference.value}
    for row in _rows(f"WITH {ctes} {fragment('usage')}", parameters):
        yield UsageFact(_place(row), UsageTotals(*row[8:14]), int(row[14]))


def money_facts(
    slices: Sequence[Slice], grain: Grain, lines: Sequence[LineTerms], customer_ids: Sequence[int] | None
) -> Iterator[RevenueFact | CostFact]:
    """Recognised revenue, and what lines cost that does not follow from a row's own usage or revenue.

    By feature, model or user, and under a shared cost, the slices must be single days: what belongs to
    none of them is shared out by the day's usage.
    """
    told = [line for line in lines if not line.follows_rows]
    parameters = _parameters(slices, grain, customer_ids) | line_parameters(told)
    kinds = {kind.value: kind for kind in RevenueKind}
    ctes, sources = money_sources(told, whole_months=whole_months(slices), by_user=grain.user)
    union = " UNION ALL ".join(f"({source})" for source in sources)
    fact = f"source AS ({union}), {fragment('spread')}" if grain.of_usage else f"fact AS ({union})"
    for row in _rows(f"WITH {', '.join(ctes)}, {fact} {fragment('money')}", parameters):
        currency, kind, line_id, amount = row[8:12]
        if line_id is None:
            yield RevenueFact(_place(row), kinds[kind], int(amount), currency)
        else:
            # Nano-units with up to six places more: whole femto-units.
            yield CostFact(_place(row), line_id, int(amount * FEMTO_PER_NANO), currency)


def customer_keys(customer_ids: Sequence[int] | None) -> dict[int, str]:
    """The keys of these customers, or of all."""
    only = "" if customer_ids is None else "WHERE id = ANY(%(customers)s)"
    statement = f"SELECT id, key FROM customer {only}"  # noqa: S608 - one of our two own conditions
    return dict(_rows(statement, {"customers": list(customer_ids or ())}))


def _rows(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _place(row: Sequence[Any]) -> Place:
    return Place(row[0] - 1, *row[1:8])


def _parameters(slices: Sequence[Slice], grain: Grain, customer_ids: Sequence[int] | None) -> dict[str, Any]:
    return {
        "slice_first_day": [one.first_day for one in slices],
        "slice_end_day": [one.end_day for one in slices],
        "slice_starts_at": [one.starts_at for one in slices],
        "slice_ends_at": [one.ends_at for one in slices],
        "first_day": slices[0].first_day,
        "end_day": slices[-1].end_day,
        "since": slices[0].starts_at,
        "until": slices[-1].ends_at,
        "customers": None if customer_ids is None else list(customer_ids),
        "by_customer": grain.customer,
        "by_plan": grain.plan,
        "by_feature": grain.feature,
        "by_model": grain.model,
        "by_user": grain.user,
        "by_cohort": grain.cohort,
        "named_customers": list(grain.named_customers),
        "named_plan_versions": list(grain.named_plan_versions),
        "named_features": list(grain.named_features),
        # Said apart so that a column nothing names folds to NULL before the planner guesses at groups.
        "any_customers": bool(grain.named_customers),
        "any_plan_versions": bool(grain.named_plan_versions),
        "any_features": bool(grain.named_features),
    }
