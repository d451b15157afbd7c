"""Reading what a simulation replays: how customers stood at its start, and their real calls."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q, Sum

from entitlements.core.account import OwnEntitlement
from entitlements.core.words import Bucket, EntryKind
from entitlements.models import Balance, Customer, Entitlement, Subscription
from kernel.recurrence import period_at
from kernel.sql_files import sql_file
from margins.simulation.calls import TAB
from margins.simulation.rules import Rules
from margins.simulation.start import Lot, Own, Reach, Start, Subscribed, Taken, Used
from margins.simulation.watch import counted
from metering.models import ArchivedUsageDay, CostAdjustment

_WORDS: Final[Mapping[str, Any]] = {
    "grant": EntryKind.GRANT.value,
    "burn": EntryKind.BURN.value,
    "posted": Bucket.POSTED.value,
    "debt": Bucket.DEBT.value,
    "overage": Bucket.OVERAGE.value,
    "taken": [EntryKind.VOID.value, EntryKind.REVERSAL.value, EntryKind.RESTORED.value],
}


class Span(NamedTuple):
    """The instants [since, until) a simulation replays; `since` is a UTC midnight."""

    since: datetime
    until: datetime

    @property
    def end_day(self) -> date:
        """The first day of which nothing is replayed."""
        return (self.until - timedelta(microseconds=1)).date() + timedelta(days=1)


def whom(span: Span, keys: Sequence[str]) -> list[tuple[int, int]]:
    """Customers, by id, with how many calls they made: those of these keys, or all."""
    days = {"first_day": span.since.date(), "end_day": span.end_day, "until": span.until}
    return _rows("replay_customers", {**days, "some": bool(keys), "keys": list(keys)})


def archived_calls(span: Span, keys: Sequence[str]) -> int:
    """Calls of the days that have left for the archive: they cannot be replayed."""
    days = ArchivedUsageDay.objects.filter(day__gte=span.since.date(), day__lt=span.end_day)
    if keys:
        days = days.filter(customer_id__in=list(Customer.objects.filter(key__in=keys).values_list("id", flat=True)))
    return int(days.aggregate(calls=Sum("calls"))["calls"] or 0)


def calls_of(customer_ids: Sequence[int], span: Span) -> Iterator[tuple[int, list[bytes]]]:
    """Their real calls as lines of COPY (margins/simulation/calls.py), customer by customer, in order of time.

    To be read inside a transaction, in which nothing else can be asked meanwhile. One customer's lines are in
    memory at once, some 200 bytes each.
    """
    within: dict[str, Any] = {"customers": list(customer_ids), "since": span.since, "until": span.until}
    # Few periods have been re-rated: looking once spares the rest a join.
    corrected = CostAdjustment.objects.filter(
        customer_id__in=customer_ids, occurred_at__gte=span.since, occurred_at__lt=span.until
    ).exists()
    plain = "e.cost_nanousd"
    moved = f"CASE WHEN {plain} IS NOT NULL OR a.priced > 0 THEN COALESCE({plain}, 0) + COALESCE(a.moved, 0) END"
    statement = sql_file("margins", "replay_calls").format(
        cost=moved if corrected else plain, adjusted=sql_file("margins", "replay_adjusted") if corrected else ""
    )
    # Composed beforehand: Django's wrapper of the cursor, where queries are logged, hands on a statement alone.
    operations: Any = connection.ops  # PostgreSQL's own: the stubs know what all databases have
    composed: str = operations.compose_sql(f"COPY ({statement}) TO STDOUT", within)
    with connection.cursor() as cursor, cursor.copy(composed) as copy:
        lines = (bytes(line) for line in copy)
        for customer_id, theirs in groupby(lines, key=lambda line: line[: line.index(TAB)]):
            yield int(customer_id), list(theirs)


def starts_of(customer_ids: Sequence[int], rules: Rules, span: Span) -> dict[int, Start]:
    """How these customers stood at the start, by id, in the order given."""
    within = {"customers": list(customer_ids), "since": span.since, "until": span.until, **_WORDS}
    caps = dict(
        Balance.objects.filter(customer_id__in=customer_ids).values_list("customer_id", "spend_cap_microcredits")
    )
    rows = Customer.objects.filter(id__in=customer_ids).values_list("id", "key", "currency", "time_zone")
    found = {
        id_: Start(customer_id=id_, key=key, currency=currency, time_zone=zone, spend_cap=caps.get(id_))
        for id_, key, currency, zone in rows
    }
    starts = {customer_id: found[customer_id] for customer_id in customer_ids if customer_id in found}
    for whose, debt, overage in _rows("replay_owed", within):
        starts[whose].debt, starts[whose].overage = debt, overage
    for whose, *lot in _rows("replay_lots", within):
        starts[whose].lots.append(Lot._make(lot))
    for whose, *taken in _rows("replay_taken", within):
        grant_at, grant_id, bucket, kind, amount = taken
        starts[whose].taken.append(Taken(grant_at, grant_id, bucket, kind, amount))
    for whose, money in _rows("replay_money_back", within):
        starts[whose].money_back_nano = money
    subscriptions = Subscription.objects.filter(
        Q(ended_at=None) | Q(ended_at__gte=span.since), customer_id__in=customer_ids, started_at__lt=span.until
    ).order_by("started_at", "id")
    for one in subscriptions:
        stay = Subscribed(one.pk, one.plan_version_id, one.anchor, one.started_at, one.ended_at)
        starts[one.customer_id].subscriptions.append(stay)
    rights = Entitlement.objects.select_related("max_tier").filter(
        Q(ends_at=None) | Q(ends_at__gt=span.since), customer_id__in=customer_ids, starts_at__lt=span.until
    )
    for row in rights.order_by("starts_at", "id"):
        rank = None if row.max_tier is None else row.max_tier.rank
        right = OwnEntitlement(row.feature_id, row.allowed, rank, row.at_limit, row.config)
        starts[row.customer_id].own.append(Own(row.starts_at, row.ends_at, right))
    _read_used(starts, rules, span)
    return starts


def _read_used(starts: Mapping[int, Start], rules: Rules, span: Span) -> None:
    """What was used before the start in windows that reach back across it: the billing period, a local day, ever."""
    back: dict[Reach, dict[int, datetime]] = defaultdict(dict)
    ever: list[int] = []
    for start in starts.values():
        current = next((one for one in start.subscriptions if one.started_at < span.since), None)
        plan = rules.plan_of(current.plan_version_id, start.currency) if current else None
        if plan is None or current is None:
            continue
        windows = {limit.window for limit in counted(plan.limits) if limit.scope != "run"}
        if "period" in windows:
            back["period"][start.customer_id] = period_at(current.anchor, plan.interval, span.since)[0]
        if "day" in windows and start.time_zone != "UTC":
            local = span.since.astimezone(ZoneInfo(start.time_zone))
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
            back["day"][start.customer_id] = midnight.astimezone(UTC)
        if "lifetime" in windows:
            ever.append(start.customer_id)
    for reach, since_of in back.items():
        params = {"whose": list(since_of), "reach": list(since_of.values()), "since": span.since}
        for whose, *used in _rows("replay_used", params):
            starts[whose].used.setdefault(reach, []).append(Used._make(used))
    if ever:
        for whose, *used in _rows("replay_used_ever", {"customers": ever, "day": span.since.date()}):
            starts[whose].used.setdefault("lifetime", []).append(Used._make(used))


def _rows(name: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql_file("margins", name), dict(params))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
