"""Gross margin by any combination of customer, user, feature, model, plan, cohort and day."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from margins.cost_lines import USAGE_BASES, Basis, LineTerms, revenue_cost_femto, usage_cost_femto
from margins.currencies import Converted, Rates
from margins.inference import InferenceCost
from margins.margin import INFERENCE, SUPPLIER_CURRENCY, Margin
from margins.models import MarginSetting
from margins.queries.currencies import currencies_in_play, margin_setting, rates
from margins.queries.facts import (
    AT,
    REVENUE_KINDS,
    Customers,
    Grain,
    MoneyFact,
    Placed,
    UsageFact,
    are_behind,
    money_facts,
    usage_facts,
)
from margins.queries.lines import cost_lines
from margins.slices import Slice, slices
from margins.units import FEMTO_PER_NANO
from plans.models import Feature, PlanVersion


class Dimension(StrEnum):
    CUSTOMER = "customer"
    PLAN = "plan"
    FEATURE = "feature"
    MODEL = "model"
    USER = "user"
    COHORT = "cohort"
    """The month of the customer's first subscription."""
    DAY = "day"


Key = tuple[str | date | None, ...]
"""The values of a row's dimensions. None: it belongs to none (no plan), or to no one alone (unallocated)."""


class MarginRow(NamedTuple):
    key: Key
    margin: Margin


@dataclass(frozen=True, slots=True)
class Scope:
    """Which days [start, end), in UTC, and whose: every customer's when `customer_ids` is None."""

    start: date
    end: date
    customer_ids: Sequence[int] | None = None


def margin_rows(scope: Scope, by: Sequence[Dimension], *, now: datetime) -> list[MarginRow]:
    """One row for each value of `by` and billing currency, in order of their keys, those without one last.

    Days that have not begun are left out, and the current one counts until `now`. The rows sum to
    the same totals whatever `by` is, and a row to the rows of any finer cut of it. Where money of other
    currencies than the reporting one can be in them, rows are also converted, day by day.
    """
    known = _known(scope, now)
    return _rows(known, _grain(by, known), [by])[0]


def margin_rows_and_users(
    scope: Scope, by: Sequence[Dimension], *, now: datetime
) -> tuple[list[MarginRow], list[MarginRow]]:
    """The rows of a cut that does not name users, and those of a cut by user: one question to the database for both."""
    known = _known(scope, now)
    grain = replace(_grain(by, known), user=True, users_apart=True)
    rows, of_users = _rows(known, grain, [by, [Dimension.USER]])
    return rows, of_users


@dataclass(frozen=True, slots=True)
class _Known:
    """What a report depends on whatever it is cut by. `rates`: those to convert by, None where nothing has to be."""

    scope: Scope
    now: datetime
    lines: Sequence[LineTerms]
    plans: "dict[int, PlanOf]"
    setting: MarginSetting
    rates: Rates | None
    unread: bool
    """Whether ledgers may have earned something that is not added up yet."""


def _known(scope: Scope, now: datetime) -> _Known:
    lines = cost_lines(scope.start, scope.end)
    setting = margin_setting()
    # Of everyone somebody's always is, and looking takes as long as leaving it to the statement.
    unread = scope.customer_ids is None or are_behind(scope.customer_ids)
    return _Known(scope, now, lines, _plans(), setting, _rates_needed(scope, lines, setting), unread)


def _rows(known: _Known, grain: Grain, cuts: Sequence[Sequence[Dimension]]) -> list[list[MarginRow]]:
    """The rows of the one cut that the grain is of; with users apart, theirs are the second one's."""
    scope, lines = known.scope, known.lines
    shared = any(line.basis is Basis.SHARED for line in lines)
    by_day = any(Dimension.DAY in by for by in cuts)
    daily = by_day or grain.of_usage or shared or known.rates is not None
    days = slices(scope.start, scope.end, daily=daily, lines=lines, now=known.now)
    if not days:
        return [[] for _ in cuts]
    with _uncollected():
        customers = Customers(scope.customer_ids if grain.customer else [])
        sums = [
            _Sums(days, lines, known.plans, customers, _key_maker(by, days, known.plans, customers), known.rates)
            for by in cuts
        ]
        first, last = sums[0], sums[-1]
        for fact in usage_facts(days, grain, scope.customer_ids, InferenceCost(known.setting.inference_cost)):
            (first if fact[0][AT.user_key] is None else last).add_usage(fact)
        for entry in money_facts(days, grain, lines, scope.customer_ids, unread=known.unread):
            (first if entry[0][AT.user_key] is None else last).add_money(entry)
        found = [one.rows for one in sums]
        del sums, first, last  # what the collector would only have to walk
        return [_ordered([MarginRow(key, margin) for (key, _), margin in rows.items()]) for rows in found]


def coarser(rows: Sequence[MarginRow], by: Sequence[Dimension], onto: Sequence[Dimension]) -> list[MarginRow]:
    """Rows cut by `by`, merged to a cut by `onto`: the same rows that cut would have given, without asking again."""
    places = [list(by).index(dimension) for dimension in onto]
    merged: dict[tuple[Key, str], Margin] = {}
    for row in rows:
        key = tuple(row.key[place] for place in places)
        merged.setdefault((key, row.margin.currency), Margin(row.margin.currency)).add(row.margin)
    return _ordered([MarginRow(key, margin) for (key, _), margin in merged.items()])


class PlanOf(NamedTuple):
    """The plan a version is of."""

    id: int
    key: str


class _Sums:
    """Facts, with the cost lines they bear, summed by key and billing currency.

    Everyone's month is tens of thousands of facts, and this is what each of them costs: lines are sorted beforehand.
    """

    def __init__(
        self,
        days: Sequence[Slice],
        lines: Sequence[LineTerms],
        plans: dict[int, PlanOf],
        customers: Customers,
        key_of: Callable[[Placed], Key],
        rates: Rates | None,
    ) -> None:
        self.rows: dict[tuple[Key, str], Margin] = {}
        self._by_place: dict[Placed, Margin] = {}
        self._plans = plans
        self._customers = customers
        self._key_of = key_of
        self._rates = rates
        self._days = days
        self._line_keys = {line.id: line.key for line in lines}
        held = [[line for line in lines if line.holds_on(day.first_day)] for day in days]
        self._of_revenue = [[line for line in of if line.basis is Basis.PERCENT_OF_REVENUE] for of in held]
        self._of_usage = [[line for line in of if line.basis in USAGE_BASES and not line.meter] for of in held]

    def add_usage(self, fact: UsageFact) -> None:
        place, usage, cost_nanousd = fact
        margin = self._by_place.get(place) or self._margin(place)
        margin.add_usage(usage)
        self._add_cost(margin, place, INFERENCE, cost_nanousd * FEMTO_PER_NANO, SUPPLIER_CURRENCY)
        if lines := self._of_usage[place[AT.slice] - 1]:
            for line in self._selecting(lines, place):
                if cost := usage_cost_femto(line, usage):
                    self._add_cost(margin, place, line.key, cost, line.currency)

    def add_money(self, fact: MoneyFact) -> None:
        place, currency, line_id, cost_femto, earned = fact
        margin = self._by_place.get(place) or self._margin(place)
        if line_id is not None:
            self._add_cost(margin, place, self._line_keys[line_id], cost_femto, currency)
            return
        revenue, revenue_nano = margin.revenue_in(currency), 0
        for kind, text in zip(REVENUE_KINDS, earned, strict=True):
            if text and (nano := int(text)):
                revenue_nano += nano
                revenue[kind] = revenue.get(kind, 0) + nano * FEMTO_PER_NANO
        if self._rates is not None and margin.converted is not None and revenue_nano:
            margin.converted.add_revenue(revenue_nano * FEMTO_PER_NANO, currency, self._day(place), self._rates)
        if lines := self._of_revenue[place[AT.slice] - 1]:
            for line in self._selecting(lines, place):
                if cost := revenue_cost_femto(line, revenue_nano):
                    self._add_cost(margin, place, line.key, cost, currency)

    def _add_cost(self, margin: Margin, place: Placed, line_key: str, femto: int, currency: str) -> None:
        margin.add_cost(line_key, femto, currency)
        if self._rates is not None and margin.converted is not None and femto:
            margin.converted.add_cost(femto, currency, self._day(place), self._rates)

    def _day(self, place: Placed) -> date:
        number: int = place[AT.slice]
        return self._days[number - 1].first_day

    def _margin(self, place: Placed) -> Margin:
        currency: str = place[AT.currency] or self._customers[place[AT.customer_id]].currency
        key = self._key_of(place), currency
        margin = self.rows.get(key)
        if margin is None:
            margin = self.rows[key] = Margin(currency)
            if self._rates is not None:
                margin.converted = Converted()
        self._by_place[place] = margin
        return margin

    def _selecting(self, lines: Sequence[LineTerms], place: Placed) -> list[LineTerms]:
        plan = self._plans.get(place[AT.plan_version_id] or 0)
        plan_id = plan.id if plan else None
        whose, feature_id = place[AT.customer_id], place[AT.feature_id]
        return [line for line in lines if line.selects(customer_id=whose, plan_id=plan_id, feature_id=feature_id)]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let the garbage collector wait.

    It would walk all the process has loaded, again and again, for tens of thousands of new objects none
    of which is garbage: a third of the time of a report of everyone.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _rates_needed(scope: Scope, lines: Iterable[LineTerms], setting: MarginSetting) -> Rates | None:
    """The exchange rates of the days, where anything can be in another currency than the reporting one."""
    into = setting.reporting_currency
    currencies = {SUPPLIER_CURRENCY, *currencies_in_play(scope.customer_ids)}
    currencies |= {line.currency for line in lines if line.currency}
    return None if currencies == {into} else rates(into, currencies, scope.start, scope.end)


def _grain(by: Sequence[Dimension], known: _Known) -> Grain:
    counted = [line for line in known.lines if line.follows_rows]
    named_plans = {line.plan_id for line in counted if line.plan_id is not None}
    return Grain(
        # Of a single customer there is nothing to merge.
        customer=Dimension.CUSTOMER in by or len(known.scope.customer_ids or ()) == 1,
        plan=Dimension.PLAN in by,
        feature=Dimension.FEATURE in by,
        model=Dimension.MODEL in by,
        user=Dimension.USER in by,
        cohort=Dimension.COHORT in by,
        named_customers=sorted({line.customer_id for line in counted if line.customer_id is not None}),
        named_plan_versions=[version for version, plan in known.plans.items() if plan.id in named_plans],
        named_features=sorted({line.feature_id for line in counted if line.feature_id is not None}),
    )


def _plans() -> dict[int, PlanOf]:
    versions = PlanVersion.objects.values_list("id", "plan_id", "plan__key")
    return {version: PlanOf(plan_id, key) for version, plan_id, key in versions}


def _key_maker(
    by: Sequence[Dimension], days: Sequence[Slice], plans: dict[int, PlanOf], customers: Customers
) -> Callable[[Placed], Key]:
    features = dict(Feature.objects.values_list("id", "key")) if Dimension.FEATURE in by else {}
    keys_of_plans = {version: plan.key for version, plan in plans.items()}
    readers: dict[Dimension, Callable[[Placed], str | date | None]] = {
        Dimension.CUSTOMER: lambda place: customers[place[AT.customer_id]].key,
        Dimension.PLAN: lambda place: keys_of_plans.get(place[AT.plan_version_id]),
        Dimension.FEATURE: lambda place: features.get(place[AT.feature_id]),
        Dimension.MODEL: lambda place: place[AT.model] or None,
        Dimension.USER: lambda place: place[AT.user_key] or None,
        Dimension.COHORT: lambda place: f"{place[AT.cohort]:%Y-%m}" if place[AT.cohort] else None,
        Dimension.DAY: lambda place: days[place[AT.slice] - 1].first_day,
    }
    if len(by) == 1:
        (read,) = (readers[dimension] for dimension in by)
        return lambda place: (read(place),)
    chosen = [readers[dimension] for dimension in by]
    return lambda place: tuple([read(place) for read in chosen])


def _ordered(rows: list[MarginRow]) -> list[MarginRow]:
    """Rows in the order of `order_of`, then of currencies; by the last first, so that only plain texts are compared."""
    rows = sorted(rows, key=lambda row: row.margin.currency)
    for place in reversed(range(len(rows[0].key) if rows else 0)):
        known = [row for row in rows if row.key[place] is not None]
        known.sort(key=lambda row: str(row.key[place]))
        rows = known + [row for row in rows if row.key[place] is None] if len(known) < len(rows) else known
    return rows


def order_of(key: Key) -> tuple[tuple[bool, str], ...]:
    """How keys sort: by their text, those without a value last."""
    return tuple([(value is None, "" if value is None else str(value)) for value in key])
