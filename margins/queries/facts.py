"""The facts of a stretch of days: usage, revenue and costs per customer, cut by the database as asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from django.db import connection

from entitlements.core.words import EntryKind
from kernel.sql_files import sql_file
from margins.cost_lines import Basis, LineTerms, UsageTotals
from margins.recognition import RevenueKind, day_start
from margins.slices import Slice


@dataclass(frozen=True, slots=True)
class Grain:
    """What rows are cut by. Values that cost lines name are kept apart even where the cut merges the rest."""

    customer: bool = False
    plan: bool = False
    feature: bool = False
    model: bool = False
    named_customers: Sequence[int] = ()
    named_plan_versions: Sequence[int] = ()
    named_features: Sequence[int] = ()


class Place(NamedTuple):
    """Where an amount belongs. None: not cut by that; 0 or "": cut, and it belongs to none."""

    slice: int
    """Index into the slices asked for."""
    currency: str
    """The currency the customer is billed in."""
    customer_id: int | None
    plan_version_id: int | None
    feature_id: int | None
    model: str | None


class UsageFact(NamedTuple):
    place: Place
    usage: UsageTotals
    cost_nanousd: int


class RevenueFact(NamedTuple):
    place: Place
    kind: RevenueKind
    revenue_nano: int
    currency: str


class CostFact(NamedTuple):
    """What a line per customer cost; the other bases follow from usage and revenue."""

    place: Place
    line_id: int
    cost_nano: int
    currency: str


_ENTRY_KINDS: Final = {
    "grant": EntryKind.GRANT.value,
    "burn": EntryKind.BURN.value,
    "refund": EntryKind.REFUND.value,
    "expire": EntryKind.EXPIRE.value,
    "overage": EntryKind.OVERAGE.value,
    "overage_paid": EntryKind.OVERAGE_PAID.value,
}


def usage_facts(slices: Sequence[Slice], grain: Grain, customer_ids: Sequence[int] | None) -> Iterator[UsageFact]:
    """Usage and its supplier cost from the daily rollup."""
    for row in _rows(f"WITH {_sql('slice')} {_sql('usage')}", _parameters(slices, grain, customer_ids)):
        yield UsageFact(_place(row), UsageTotals(*map(int, row[6:12])), int(row[12]))


def money_facts(
    slices: Sequence[Slice], grain: Grain, lines: Sequence[LineTerms], customer_ids: Sequence[int] | None
) -> Iterator[RevenueFact | CostFact]:
    """Recognised revenue, and the costs per customer.

    By feature or model the slices must be single days: what belongs to neither is shared out by
    the day's usage.
    """
    parameters = _parameters(slices, grain, customer_ids)
    parameters |= _line_parameters([line for line in lines if line.basis is Basis.PER_CUSTOMER])
    sources = " UNION ALL ".join(
        f"({_sql(name)})" for name in ("subscription_revenue", "credit_revenue", "overage_revenue", "customer_costs")
    )
    fact = f"source AS ({sources}), {_sql('spread')}" if grain.feature or grain.model else f"fact AS ({sources})"
    for row in _rows(f"WITH {_sql('slice')}, {fact} {_sql('money')}", parameters):
        currency, kind, line_id, amount = row[6:10]
        if line_id is None:
            yield RevenueFact(_place(row), RevenueKind(kind), int(amount), currency)
        else:
            yield CostFact(_place(row), line_id, int(amount), currency)


def _sql(name: str) -> str:
    return sql_file("margins", name)


def _rows(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _place(row: Sequence[Any]) -> Place:
    number, *rest = row[:6]
    return Place(number - 1, *rest)


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
        "named_customers": list(grain.named_customers),
        "named_plan_versions": list(grain.named_plan_versions),
        "named_features": list(grain.named_features),
        # Said apart so that a column nothing names folds to NULL before the planner guesses at groups.
        "any_customers": bool(grain.named_customers),
        "any_plan_versions": bool(grain.named_plan_versions),
        "any_features": bool(grain.named_features),
        # Whose plan, feature or model an entry was costs a look at its event: only where asked for.
        "attribute": bool(grain.plan or grain.feature or grain.model or grain.named_plan_versions),
        **_ENTRY_KINDS,
    }


def _line_parameters(lines: Sequence[LineTerms]) -> dict[str, Any]:
    return {
        "line_id": [line.id for line in lines],
        "line_amount_nano": [line.amount_nano for line in lines],
        "line_currency": [line.currency for line in lines],
        "line_starts_at": [day_start(line.starts_on) for line in lines],
        "line_ends_at": [day_start(line.ends_on) if line.ends_on else None for line in lines],
        "line_customer_id": [line.customer_id for line in lines],
        "line_plan_id": [line.plan_id for line in lines],
    }
