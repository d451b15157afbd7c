"""The SQL implements margins/recognition.py: on random histories both give the same figures, to the nano-unit."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from django.db import connection
from moneyed import Money

from entitlements.core.words import Bucket, EntryKind
from entitlements.models import CreditGrant, LedgerEntry, Subscription
from margins.queries.margins import Dimension, Scope, margin_rows
from margins.queries.recount import differences
from margins.recognition import (
    Entry,
    GrantBasis,
    RevenueKind,
    SubscriptionTerms,
    accrued_between,
    customer_cost,
    day_start,
    ledger_revenue,
    spread,
    subscription_revenue,
)
from margins.services.revenue import add_revenue
from margins.units import FEMTO_PER_NANO, nano_of
from tests.margins.books import CREDIT, Books, at, cost_line, feature, plan

pytestmark = pytest.mark.django_db

LATER = datetime(2027, 6, 1, tzinfo=UTC)


def instant(random: Random) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=random.randrange(400 * 86_400_000_000))


def daily(start: date, end: date) -> Iterator[tuple[date, datetime, datetime]]:
    for number in range((end - start).days):
        day = start + timedelta(days=number)
        yield day, day_start(day), day_start(day + timedelta(days=1))


def revenue_by_day(scope: Scope, kind: RevenueKind) -> dict[date, int]:
    found = {row.key[0]: row.margin.own.revenue.get(kind, 0) // FEMTO_PER_NANO for row in _days(scope)}
    return {day: amount for day, amount in found.items() if amount and isinstance(day, date)}


def _days(scope: Scope) -> list[object]:
    return margin_rows(scope, [Dimension.DAY], now=LATER)  # type: ignore[return-value]


@pytest.mark.parametrize("seed", range(40))
def test_a_share_of_a_total_over_time(seed: int) -> None:
    random = Random(seed)
    start, end = sorted((instant(random), instant(random)))
    since, until = instant(random), instant(random)
    total = random.randrange(10**15)
    with connection.cursor() as cursor:
        cursor.execute("SELECT accrued_between(%s, %s, %s, %s, %s)", (total, start, end, since, until))
        (found,) = cursor.fetchone()
    assert int(found) == accrued_between(total, start=start, end=end, since=since, until=until)


@pytest.mark.parametrize("seed", range(25))
def test_subscriptions_by_day_and_in_all(seed: int) -> None:
    random = Random(seed)
    interval = random.choice(["month", "month", "year"])
    price = f"{random.randrange(1, 10**6)}.{random.randrange(1000):03d}"
    version = plan("pro", price, interval=interval)
    anchor = instant(random).replace(day=random.choice([1, 15, 28, 29, 30, 31]), month=random.choice([1, 3, 10, 12]))
    started, ended = sorted((instant(random), instant(random)))
    ended_at = random.choice([None, ended])
    books = Books.open()
    Subscription.objects.create(
        customer=books.customer, plan_version=version, anchor=anchor, started_at=started, ended_at=ended_at
    )
    terms = SubscriptionTerms(nano_of(version.price.amount), interval, anchor, started, ended_at)
    start = instant(random).date()
    end = start + timedelta(days=random.randrange(1, 100))
    expected = {
        day: earned
        for day, since, until in daily(start, end)
        if (earned := subscription_revenue(terms, since=since, until=until))
    }
    assert revenue_by_day(Scope(start, end), RevenueKind.SUBSCRIPTION) == expected
    rows = margin_rows(Scope(start, end), [], now=LATER)
    in_all = sum(row.margin.own.total_revenue for row in rows) // FEMTO_PER_NANO
    assert in_all == subscription_revenue(terms, since=day_start(start), until=day_start(end)) == sum(expected.values())


@pytest.mark.parametrize("seed", range(10))
def test_a_cost_per_customer_and_month(seed: int) -> None:
    random = Random(seed)
    line = cost_line("hosting", "per_customer", f"{random.randrange(10**5)}.{random.randrange(10**9):09d}")
    started, ended = sorted((instant(random), instant(random)))
    Books.open().subscribes(plan("free", "0"), on=started).leaves(ended)
    start, end = date(2026, 2, 3), date(2027, 1, 20)
    stay = day_start(started.date()), day_start(ended.date() + timedelta(days=1))
    since, until = max(stay[0], day_start(start)), min(stay[1], day_start(end))
    rows = margin_rows(Scope(start, end), [], now=LATER)
    found = sum(row.margin.own.cogs.get("hosting", 0) for row in rows) // FEMTO_PER_NANO
    assert found == customer_cost(nano_of(line.amount.amount), since=since, until=until)


@pytest.mark.parametrize("seed", range(15))
def test_ledgers_entry_by_entry(seed: int) -> None:
    random = Random(seed)
    version = plan("team", "0", overage_price=f"0.{random.randrange(10**6):06d}")
    books = Books.open().subscribes(version, on=datetime(2026, 1, 1, tzinfo=UTC))
    left: dict[UUID, int] = {}
    used: Counter[UUID] = Counter()
    for _ in range(3):
        credits = random.randrange(1, 400)
        left[books.is_granted(credits, paid=f"{random.randrange(500)}.{random.randrange(1000):03d}")] = credits * CREDIT
    for _ in range(60):
        if random.random() < 0.1:
            add_revenue()  # what it has seen and what it has not are the same figures
        grant = random.choice(list(left))
        when = at(random.randrange(1, 31), random.randrange(24))
        kind = random.choice(
            [EntryKind.BURN] * 6 + [EntryKind.EXPIRE, EntryKind.VOID, EntryKind.REFUND, EntryKind.OVERAGE]
        )
        moved = random.randrange(1, 30 * CREDIT)
        if kind is EntryKind.OVERAGE:
            books.enters(kind, -moved / CREDIT, at=when, bucket=Bucket.OVERAGE)
        elif kind is EntryKind.REFUND and moved <= used[grant]:
            books.enters(kind, moved / CREDIT, at=when, grant=grant)
            left[grant] += moved
            used[grant] -= moved
        elif kind is not EntryKind.REFUND and moved <= left[grant]:
            books.enters(kind, -moved / CREDIT, at=when, grant=grant)
            left[grant] -= moved
            used[grant] += moved
    entries = [
        Entry(row.kind, row.bucket, row.amount_microcredits, row.effective_at, row.grant_id)
        for row in LedgerEntry.objects.order_by("seq")
    ]
    grants = {
        grant.id: GrantBasis(grant.amount_microcredits, nano_of(grant.paid.amount), "USD")
        for grant in CreditGrant.objects.all()
    }
    price = version.overage_price
    assert isinstance(price, Money)
    expected: dict[RevenueKind, dict[date, int]] = {kind: {} for kind in RevenueKind}
    for one in ledger_revenue(entries, grants, overage=(nano_of(price.amount), "USD")):
        days = expected[one.kind]
        days[one.at.date()] = days.get(one.at.date(), 0) + one.revenue_nano
    scope = Scope(date(2026, 11, 1), date(2026, 12, 1))
    for kind, days in expected.items():
        assert revenue_by_day(scope, kind) == {day: amount for day, amount in days.items() if amount}, kind
    assert list(differences()) == []
    add_revenue()
    assert list(differences()) == []


def test_a_day_is_shared_out_as_spread_says() -> None:
    books = Books.open().subscribes(plan("pro", "299"))
    weights = {("chat", "gpt-4o"): 1.1, ("chat", "o3"): 2.3, ("draft", "gpt-4o"): 0.7, ("search", "o3"): 3.33}
    for (name, model), credits in weights.items():
        books.uses(name, at=at(10), model=model, credits=credits)
    day = Scope(date(2026, 11, 10), date(2026, 11, 11))
    by = (Dimension.FEATURE, Dimension.MODEL)
    found = {row.key: row.margin.own.total_revenue // FEMTO_PER_NANO for row in margin_rows(day, by, now=LATER)}
    order = sorted(weights, key=lambda place: (feature(place[0]).pk, place[1]))
    whole = sum(found.values())
    shares = spread(whole, [round(weights[place] * CREDIT) for place in order])
    assert found == dict(zip(order, shares, strict=True))
