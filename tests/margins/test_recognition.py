"""When money becomes revenue: worked tables, and what must hold for any history."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entitlements.core.words import Bucket, EntryKind
from margins.recognition import (
    Entry,
    GrantBasis,
    Recognised,
    RevenueKind,
    SubscriptionTerms,
    customer_cost,
    day_start,
    ledger_revenue,
    overage_revenue,
    spread,
    subscription_revenue,
)

USD = 10**9
CREDIT = 10**6
DAY = timedelta(days=1)
NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
PACK = UUID(int=1)


def monthly(price_nano: int, anchor: datetime, ended_at: datetime | None = None) -> SubscriptionTerms:
    return SubscriptionTerms(price_nano, "month", anchor, anchor, ended_at)


def by_day(terms: SubscriptionTerms, first: date, days: int) -> list[int]:
    starts = [day_start(first) + DAY * number for number in range(days)]
    return [subscription_revenue(terms, since=start, until=start + DAY) for start in starts]


class TestSubscription:
    @pytest.mark.parametrize(
        ("anchor", "interval", "days", "price_nano"),
        [
            (datetime(2026, 11, 1, tzinfo=UTC), "month", 30, 299 * USD),
            (datetime(2026, 2, 1, tzinfo=UTC), "month", 28, 100 * USD),
            (datetime(2028, 2, 1, tzinfo=UTC), "month", 29, 19_990_000_000),
            (datetime(2026, 1, 31, tzinfo=UTC), "month", 28, 49 * USD),
            (datetime(2026, 1, 1, tzinfo=UTC), "year", 365, 1),
            (datetime(2028, 1, 1, tzinfo=UTC), "year", 366, 2_990 * USD),
            (datetime(2026, 11, 15, 17, 23, 11, 7, tzinfo=UTC), "month", 30, 7_777_777_777),
        ],
    )
    def test_the_days_of_a_period_sum_to_its_price(
        self, anchor: datetime, interval: str, days: int, price_nano: int
    ) -> None:
        start_of_second = anchor + timedelta(days=days)
        terms = SubscriptionTerms(price_nano, interval, anchor, anchor, ended_at=start_of_second)
        revenue = by_day(terms, anchor.date(), days + 1)
        assert sum(revenue) == price_nano
        whole_days = revenue[1:-1]
        assert max(whole_days) - min(whole_days) <= 1, "even over the period, to the nano-unit"

    def test_the_first_and_last_day_earn_for_their_hours(self) -> None:
        terms = monthly(30 * USD, datetime(2026, 11, 1, 18, tzinfo=UTC), datetime(2026, 11, 3, 6, tzinfo=UTC))
        assert by_day(terms, date(2026, 11, 1), 4) == [USD // 4, USD, USD // 4, 0]

    def test_periods_count_from_the_anchor_across_month_ends(self) -> None:
        """31 January to 28 February is a period, then to 31 March: each earns one price."""
        terms = monthly(31 * USD, datetime(2026, 1, 31, tzinfo=UTC))
        february_period = subscription_revenue(
            terms, since=datetime(2026, 1, 31, tzinfo=UTC), until=datetime(2026, 2, 28, tzinfo=UTC)
        )
        march_period = subscription_revenue(
            terms, since=datetime(2026, 2, 28, tzinfo=UTC), until=datetime(2026, 3, 31, tzinfo=UTC)
        )
        assert (february_period, march_period) == (31 * USD, 31 * USD)
        assert by_day(terms, date(2026, 2, 28), 1) == [USD], "31 days in this one"

    def test_a_plan_change_mid_period_earns_each_price_for_its_own_time(self) -> None:
        anchor, change = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC)
        old = monthly(100 * USD, anchor, ended_at=change)
        new = SubscriptionTerms(300 * USD, "month", anchor, change)
        november = {"since": anchor, "until": datetime(2026, 12, 1, tzinfo=UTC)}
        assert subscription_revenue(old, **november) == 50 * USD
        assert subscription_revenue(new, **november) == 150 * USD

    @given(
        price=st.integers(0, 10**14),
        offset=st.integers(-(40 * 86_400), 40 * 86_400),
        cuts=st.lists(st.integers(0, 90 * 86_400_000_000), max_size=6),
        interval=st.sampled_from(["month", "year"]),
    )
    def test_any_cuts_of_a_stretch_sum_to_it(self, price: int, offset: int, cuts: list[int], interval: str) -> None:
        start = datetime(2026, 1, 15, tzinfo=UTC)
        terms = SubscriptionTerms(price, interval, start + timedelta(seconds=offset), start)
        bounds = [start, *sorted(start + timedelta(microseconds=cut) for cut in cuts), start + 90 * DAY]
        parts = [subscription_revenue(terms, since=a, until=b) for a, b in pairwise(bounds)]
        assert sum(parts) == subscription_revenue(terms, since=start, until=start + 90 * DAY)
        assert all(part >= 0 for part in parts)


def test_an_amount_per_month_spreads_over_each_calendar_month() -> None:
    november = customer_cost(30 * USD, since=datetime(2026, 11, 1, tzinfo=UTC), until=datetime(2026, 12, 1, tzinfo=UTC))
    turn = customer_cost(30 * USD, since=datetime(2026, 11, 30, tzinfo=UTC), until=datetime(2026, 12, 2, tzinfo=UTC))
    assert november == 30 * USD
    assert turn == USD + 30 * USD // 31


def entry(kind: EntryKind, credits: float, *, at: datetime = NOON, grant: UUID | None = PACK) -> Entry:
    bucket = {EntryKind.OVERAGE: Bucket.OVERAGE, EntryKind.OVERAGE_PAID: Bucket.OVERAGE, EntryKind.DEBT: Bucket.DEBT}
    return Entry(kind, bucket.get(kind, Bucket.POSTED), round(credits * CREDIT), at, grant)


def pack(credits: int = 100, paid_nano: int = 10 * USD, currency: str = "USD") -> dict[UUID, GrantBasis]:
    return {PACK: GrantBasis(credits * CREDIT, paid_nano, currency)}


def earned(entries: list[Entry], grants: dict[UUID, GrantBasis] | None = None) -> dict[RevenueKind, int]:
    sums: dict[RevenueKind, int] = {}
    for found in ledger_revenue(entries, pack() if grants is None else grants, overage=(USD // 4, "USD")):
        sums[found.kind] = sums.get(found.kind, 0) + found.revenue_nano
    return sums


class TestCredits:
    @pytest.mark.parametrize(
        ("entries", "expected"),
        [
            ([entry(EntryKind.GRANT, 100)], {}),
            ([entry(EntryKind.GRANT, 100), entry(EntryKind.BURN, -25)], {"credits": 2_500_000_000}),
            ([entry(EntryKind.BURN, -25), entry(EntryKind.REFUND, 5)], {"credits": 2 * USD}),
            (
                [entry(EntryKind.BURN, -60), entry(EntryKind.EXPIRE, -40)],
                {"credits": 6 * USD, "breakage": 4 * USD},
            ),
            ([entry(EntryKind.BURN, -60), entry(EntryKind.VOID, -40)], {"credits": 6 * USD}),
            ([entry(EntryKind.BURN, -60, grant=uuid4())], {}),
            ([entry(EntryKind.DEBT, -8, grant=None)], {}),
            ([entry(EntryKind.OVERAGE, -8, grant=None)], {"overage": 2 * USD}),
            (
                [
                    entry(EntryKind.OVERAGE, -8, grant=None),
                    entry(EntryKind.GRANT, 100),
                    entry(EntryKind.BURN, -8),
                    entry(EntryKind.OVERAGE_PAID, 8, grant=None),
                ],
                {"overage": 0, "credits": 800_000_000},
            ),
            ([entry(EntryKind.OVERAGE_BILLED, 8, grant=None)], {}),
        ],
        ids=[
            "bought credits wait",
            "burned credits earn what was paid for them",
            "credits given back are no longer earned",
            "what expires is breakage",
            "what is voided earns nothing",
            "nobody paid for a promo grant",
            "debt earns when a grant pays it",
            "overage earns its price",
            "overage a pack paid earns at the pack's price instead",
            "billing overage moves no revenue",
        ],
    )
    def test_worked_table(self, entries: list[Entry], expected: dict[str, int]) -> None:
        assert earned(entries) == expected

    @given(
        paid=st.integers(1, 10**13),
        pieces=st.lists(st.integers(1, 10**9), min_size=1, max_size=30),
        expired=st.booleans(),
    )
    def test_a_grant_used_up_has_earned_what_was_paid(self, paid: int, pieces: list[int], expired: bool) -> None:
        basis = GrantBasis(sum(pieces), paid, "USD")
        kinds = [EntryKind.BURN] * len(pieces)
        kinds[-1] = EntryKind.EXPIRE if expired else EntryKind.BURN
        entries = [Entry(kind, Bucket.POSTED, -piece, NOON, PACK) for kind, piece in zip(kinds, pieces, strict=True)]
        found = list(ledger_revenue(entries, {PACK: basis}))
        assert sum(revenue.revenue_nano for revenue in found) == paid
        assert all(revenue.revenue_nano >= 0 for revenue in found)

    def test_a_late_event_adds_to_its_own_day_and_moves_no_other(self) -> None:
        thirds = {PACK: GrantBasis(3 * CREDIT, 10, "USD")}
        on_time = [entry(EntryKind.BURN, -1), entry(EntryKind.BURN, -1, at=NOON + DAY)]
        late = entry(EntryKind.BURN, -1, at=NOON - 5 * DAY)
        before = list(ledger_revenue(on_time, thirds))
        after = list(ledger_revenue([*on_time, late], thirds))
        assert after[:2] == before
        assert after[2] == Recognised(late.effective_at, RevenueKind.CREDITS, 4, "USD")

    def test_each_grant_earns_in_its_own_currency(self) -> None:
        other = UUID(int=2)
        grants = pack() | {other: GrantBasis(100 * CREDIT, 9 * USD, "EUR")}
        found = list(ledger_revenue([entry(EntryKind.BURN, -10), entry(EntryKind.BURN, -10, grant=other)], grants))
        assert [(one.revenue_nano, one.currency) for one in found] == [(USD, "USD"), (900_000_000, "EUR")]


@pytest.mark.parametrize(
    ("microcredits", "price_nano", "expected"),
    [(1, 500_000, 1), (1, 499_999, 0), (-1, 500_000, -1), (3, 250_000, 1), (CREDIT, 7, 7)],
)
def test_overage_rounds_half_away_from_zero(microcredits: int, price_nano: int, expected: int) -> None:
    assert overage_revenue(microcredits, price_nano) == expected


@given(total=st.integers(-(10**15), 10**15), weights=st.lists(st.integers(0, 10**12), max_size=20))
def test_shares_sum_to_the_whole_and_stay_near_their_part(total: int, weights: list[int]) -> None:
    shares = spread(total, weights)
    if not any(weights):
        assert shares == [0] * len(weights)
        return
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * sum(weights) - total * weight) <= sum(weights), "within one unit of the exact part"
