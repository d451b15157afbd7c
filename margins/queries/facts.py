"""The facts of a stretch of days: usage, revenue and costs per customer, cut by the database as asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

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
    users_apart: bool = False
    """Whether users are a cut of their own beside that by the rest: its rows are those that have a `user_key`."""

    @property
    def dimensions(self) -> str:
        """What the columns of plan, feature, model and user are grouped by (usage.sql, money.sql)."""
        if not self.users_apart:
            return "3, 4, 5, 6"
        named = "".join([", 3" if self.named_plan_versions else "", ", 4" if self.named_features else ""])
        return f"GROUPING SETS ((3, 4, 5), (6{named}))"

    @property
    def of_usage(self) -> bool:
        """Whether it is finer than a customer's day, so that what belongs to the day has to be shared out."""
        return self.feature or self.model or self.user


class _Place(NamedTuple):
    slice: int
    currency: int
    customer_id: int
    plan_version_id: int
    feature_id: int
    model: int
    user_key: int
    cohort: int


_PLACE: Final = len(_Place._fields)

AT: Final = _Place(*range(_PLACE))
"""Which column of a fact's place tells what. The slice is counted from 1; the currency is the customer's, and left out
of a cut by customer; the cohort is the first day of the month of the customer's first subscription. None: not cut by
that; 0 or "": cut, and it belongs to none."""

Placed = tuple[Any, ...]
"""A place: columns as they came, for everyone's month has tens of thousands and few are ever looked into.

Whole numbers that may not fit a bigint come as text, of which an int is read in a third of the time a Decimal takes.
"""

UsageFact = tuple[Placed, UsageTotals, int]
"""A place, its usage, and what suppliers charged for it in nano-USD."""

MoneyFact = tuple[Placed, str, int | None, int, Sequence[str | None]]
"""A place and a currency, and either a line with its cost there, in femto-units, where that does not follow from a
row's own usage or revenue; or no line, nought, and what was earned of each of `REVENUE_KINDS`, in nano-units."""

REVENUE_KINDS: Final = (
    RevenueKind.SUBSCRIPTION,
    RevenueKind.CREDITS,
    RevenueKind.BREAKAGE,
    RevenueKind.OVERAGE,
    RevenueKind.REVERSAL,
)
"""In the order of the columns of money.sql."""

_USAGE: Final = _PLACE + len(UsageTotals.__struct_fields__)
_LINE: Final = _PLACE + 1
_COST: Final = _PLACE + 2
_EARNED: Final = _PLACE + 3


def usage_facts(
    slices: Sequence[Slice],
    grain: Grain,
    customer_ids: Sequence[int] | None,
    inference: InferenceCost = InferenceCost.STAMPED,
) -> Iterator[UsageFact]:
    """Usage and its supplier cost, the one that counts, from the rollups."""
    ctes = [fragment(name) for name in ("slice", "cohort", usage_rollup(whole_months(slices), grain.user))]
    ctes.append(fragment("usage").format(dimensions=grain.dimensions))
    parameters = _parameters(slices, grain, customer_ids) | {"inference": inference.value}
    for row in _rows(ctes, _final("usage", grain), parameters):
        yield row[:_PLACE], UsageTotals(*row[_PLACE:_USAGE]), int(row[_USAGE])


def money_facts(
    slices: Sequence[Slice],
    grain: Grain,
    lines: Sequence[LineTerms],
    customer_ids: Sequence[int] | None,
    *,
    unread: bool = True,
) -> Iterator[MoneyFact]:
    """Recognised revenue, and what lines cost that does not follow from a row's own usage or revenue.

    By feature, model or user, and under a shared cost, the slices must be single days: what belongs to
    none of them is shared out by the day's usage. `unread` is False where it is known that these customers'
    ledgers are added up (`are_behind`).
    """
    told = [line for line in lines if not line.follows_rows]
    parameters = _parameters(slices, grain, customer_ids) | line_parameters(told)
    ctes, sources = money_sources(told, whole_months=whole_months(slices), by_user=grain.user, unread=unread)
    union = " UNION ALL ".join(f"({source})" for source in sources)
    ctes += [f"source AS ({union})", fragment("spread")] if grain.of_usage else [f"fact AS ({union})"]
    ctes.append(fragment("money").format(dimensions=grain.dimensions))
    for row in _rows(ctes, _final("money", grain), parameters):
        # A cost is in nano-units with up to six places more: whole femto-units.
        cost_femto = int(row[_COST] * FEMTO_PER_NANO) if row[_COST] else 0
        yield row[:_PLACE], row[_PLACE], row[_LINE], cost_femto, row[_EARNED:]


def _final(facts: str, grain: Grain) -> str:
    """The statement that gives the rows: customer by customer there is nothing left to add up."""
    return fragment(f"{facts}_by_customer" if grain.customer else f"{facts}_merged")


def are_behind(customer_ids: Sequence[int]) -> bool:
    """Whether any of these ledgers has grown since it was added up."""
    with connection.cursor() as cursor:
        cursor.execute(fragment("ledgers_behind"), {"customers": list(customer_ids)})
        return cursor.fetchone() is not None


class Billed(NamedTuple):
    """A customer's key, and what they are billed in."""

    key: str
    currency: str


class Customers(dict[int, Billed]):
    """These customers, or all, by id. They are read before the facts: who has come since is looked up."""

    def __init__(self, ids: Sequence[int] | None) -> None:
        super().__init__(_billed(ids))

    def __missing__(self, id_: int) -> Billed:
        ((_, found),) = _billed([id_])
        self[id_] = found
        return found


def _billed(ids: Sequence[int] | None) -> list[tuple[int, Billed]]:
    if ids is not None and not ids:
        return []
    only = "" if ids is None else "WHERE id = ANY(%(ids)s)"
    with connection.cursor() as cursor:
        statement = f"SELECT id, key, currency FROM customer {only}"  # noqa: S608 - one of our two own conditions
        cursor.execute(statement, {"ids": list(ids or ())})
        return [(row[0], Billed._make(row[1:])) for row in cursor.fetchall()]


def _rows(ctes: Sequence[str], final: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(ctes)} {final}", parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


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
        "by_plan": grain.plan,
        "by_feature": grain.feature,
        "by_model": grain.model,
        "by_user": grain.user,
        "by_cohort": grain.cohort,
        "named_customers": list(grain.named_customers),
        "named_plan_versions": list(grain.named_plan_versions),
        "named_features": list(grain.named_features),
        # Said apart so that a column nothing names folds to NULL before the planner guesses at groups.
        "any_plan_versions": bool(grain.named_plan_versions),
        "any_features": bool(grain.named_features),
    }
