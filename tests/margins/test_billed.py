"""Billed, recognised, deferred: billed less what went back is what was earned and what is still owed in work."""

from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from moneyed import Money

from billing.models import OverageItem, Reversal, StripeInvoice, StripeSubscription
from entitlements.core.words import EntryKind
from entitlements.models import CreditGrant, Customer, LedgerEntry, Subscription
from entitlements.services.grants import void_grant
from entitlements.services.subscriptions import end_subscription, subscribe
from kernel.errors import Problem
from kernel.recurrence import period_at
from kernel.units import parse_credits
from margins.margin import total
from margins.queries.billed import BilledKind, billed
from margins.queries.margins import Dimension, Scope, margin_rows
from margins.queries.recount import differences
from margins.recognition import GrantBasis, accrued_between, grant_revenue, overage_revenue
from margins.services.revenue import add_revenue
from margins.units import FEMTO_PER_NANO, nano_of
from metering.models import UsageEvent
from plans.models import PlanVersion
from tests import accounts
from tests.margins.books import at, plan
from tests.margins.sales import comes_back, goes_back
from tests.world import Actor, World

pytestmark = pytest.mark.django_db

USD = 10**9
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
EVER = Scope(date(2026, 1, 1), date(2027, 12, 31))


@pytest.fixture
def world() -> World:
    return World()


class TestKinds:
    def test_a_pack_is_billed_when_paid_and_deferred_until_burned(self, world: World) -> None:
        acme = Actor("acme", NOVEMBER, world.metered)
        acme.is_granted(100, paid=Money(10, "USD"))
        acme.spends(30, key="a", now=at(5))
        (money,) = billed(EVER, now=at(20))
        assert money.billed == {BilledKind.CREDITS: 10 * USD}
        assert (money.total_recognised, money.deferred_after) == (3 * USD, 7 * USD)

    def test_a_month_is_billed_when_it_begins_and_earned_day_by_day(self, world: World) -> None:
        Actor("acme", NOVEMBER, world.plan("growth", price="300"))
        (money,) = billed(EVER, now=at(11, 0))
        assert (money.billed, money.total_recognised) == ({BilledKind.SUBSCRIPTION: 300 * USD}, 100 * USD)
        (december,) = billed(Scope(date(2026, 12, 1), date(2027, 1, 1)), now=at(1, 12, month=12))
        assert (december.deferred_before, december.total_billed) == (0, 300 * USD)

    def test_a_change_of_plan_bills_the_rest_and_credits_what_is_unused(self, world: World) -> None:
        Actor("acme", NOVEMBER, world.plan("small", price="300"))
        subscribe("acme", world.plan("large", price="600"), at(16, 0))
        (money,) = billed(EVER, now=at(16, 1))
        assert money.billed == {BilledKind.SUBSCRIPTION: (300 - 150 + 300) * USD}
        (whole,) = billed(EVER, now=datetime(2026, 12, 1, tzinfo=UTC))
        assert (whole.total_recognised, whole.deferred_after) == (450 * USD, 0)

    def test_overage_is_earned_before_it_is_billed(self, world: World) -> None:
        acme = Actor("acme", NOVEMBER, world.metered)
        acme.spends(50, key="a", now=at(5))
        (money,) = billed(EVER, now=at(20))
        assert (money.total_billed, money.deferred_after) == (0, -USD)
        acme.balance(at(2, month=12))
        acme.spends(1, key="b", now=at(2, month=12))
        (later,) = billed(EVER, now=at(3, month=12))
        assert (later.billed, later.deferred_after) == ({BilledKind.OVERAGE: USD}, -USD // 50)


class TestWithStripe:
    """Whose subscription Stripe keeps is billed what its invoices say, net of tax."""

    @pytest.fixture
    def acme(self, world: World) -> Actor:
        return Actor("acme", NOVEMBER, world.plan("growth", price="300", overage_price="0.02"))

    def test_an_invoice_is_billed_once_and_without_its_tax(self, acme: Actor) -> None:
        _invoice(acme, "in_1", "360", tax="60", created=NOVEMBER - timedelta(minutes=1))
        _invoice(acme, "in_draft", "999", created=at(2), status="draft")
        _invoice(acme, "in_void", "999", created=at(2), status="void")
        _invoice(acme, "in_pack", "10", created=at(3), subscription="")
        (money,) = billed(EVER, now=at(16, 0))
        assert (money.billed, money.deferred_after) == ({BilledKind.SUBSCRIPTION: 300 * USD}, 150 * USD)

    def test_overage_on_a_renewals_invoice_is_overage(self, acme: Actor) -> None:
        december = datetime(2026, 12, 1, tzinfo=UTC)
        _invoice(acme, "in_1", "300", created=NOVEMBER)
        _invoice(acme, "in_2", "301", created=december)
        OverageItem.objects.create(
            customer=acme.row, seq=7, microcredits=50 * 10**6, billed_at=december, price=Money("0.02", "USD"), exact=1,
            amount=Money(1, "USD"), state="invoiced", invoice_id="in_2", item_id="ii_1", created_at=december,
            invoiced_at=december,
        )  # fmt: skip
        (money,) = billed(Scope(date(2026, 12, 1), EVER.end), now=december + timedelta(hours=1))
        assert money.billed == {BilledKind.SUBSCRIPTION: 300 * USD, BilledKind.OVERAGE: USD}

    def test_a_trial_earns_nothing_and_is_billed_nothing(self, acme: Actor) -> None:
        _invoice(acme, "in_0", "0", created=NOVEMBER)
        StripeSubscription.objects.create(
            id="sub_1", customer=acme.row, stripe_customer="cus_1", item_id="si_1", status="trialing",
            anchor=at(16, 0), period_start=NOVEMBER, period_end=at(16, 0), trial_end=at(16, 0), fetched_at=NOVEMBER,
            raw={"trial_start": int(NOVEMBER.timestamp())},
        )  # fmt: skip
        assert billed(EVER, now=at(15)) == []
        (money,) = billed(EVER, now=at(17, 0))
        assert (money.total_billed, money.total_recognised) == (0, 10 * USD)


def _invoice(
    acme: Actor,
    id_: str,
    total: str,
    *,
    created: datetime,
    tax: str = "0",
    status: str = "paid",
    subscription: str = "sub_1",
) -> None:
    money = {"total": total, "due": total, "paid": total, "tax": tax}
    StripeInvoice.objects.create(
        id=id_, customer=acme.row, status=status, subscription_id=subscription, created_at=created,
        period_start=created, period_end=created, finalized_at=created, fetched_at=created,
        **{name: Money(amount, "USD") for name, amount in money.items()},
    )  # fmt: skip


class TestMoneyThatGoesBack:
    """A pack of 100 credits for $10, of which 60 are burned on the third; refunded whole on the tenth."""

    def test_a_refund_takes_back_what_had_been_earned(self, world: World) -> None:
        acme = Actor("acme", NOVEMBER, world.metered)
        pack = acme.is_granted(100, paid=Money(10, "USD"))
        acme.spends(60, key="a", now=at(3))
        goes_back(acme.row, pack.id, "10", at(10))
        assert by_day() == {(date(2026, 11, 3), "credits"): 6 * USD, (date(2026, 11, 10), "reversal"): -6 * USD}
        (money,) = billed(EVER, now=at(20))
        assert money.billed == {BilledKind.CREDITS: 10 * USD, BilledKind.REFUNDS: -10 * USD}
        assert (money.total_recognised, money.deferred_after) == (0, 0)

    def test_half_a_refund_of_a_pack_nobody_touched_takes_nothing(self, world: World) -> None:
        acme = Actor("acme", NOVEMBER, world.metered)
        pack = acme.is_granted(100, paid=Money(10, "USD"))
        goes_back(acme.row, pack.id, "5", at(10))
        assert by_day() == {}
        (money,) = billed(EVER, now=at(20))
        assert (money.total_billed, money.deferred_after) == (5 * USD, 5 * USD)

    def test_a_dispute_that_is_won_gives_it_all_again(self, world: World) -> None:
        acme = Actor("acme", NOVEMBER, world.metered)
        pack = acme.is_granted(100, paid=Money(10, "USD"))
        acme.spends(60, key="a", now=at(3))
        taken = goes_back(acme.row, pack.id, "10", at(10), kind="dispute")
        comes_back(acme.row, taken, at(20))
        assert by_day() == {
            (date(2026, 11, 3), "credits"): 6 * USD,
            (date(2026, 11, 10), "reversal"): -6 * USD,
            (date(2026, 11, 20), "reversal"): 6 * USD,
        }
        (money,) = billed(EVER, now=at(25))
        assert (money.total_billed, money.total_recognised, money.deferred_after) == (10 * USD, 6 * USD, 4 * USD)

    def test_debt_of_a_refund_is_earned_again_by_the_pack_that_pays_it(self, world: World) -> None:
        acme = Actor("acme", NOVEMBER, world.pro)
        pack = acme.is_granted(100, paid=Money(10, "USD"), priority=1)
        acme.spends(60, key="a", now=at(3))
        void_everything_else(acme, at(4))
        goes_back(acme.row, pack.id, "10", at(10))
        acme.now = at(12)
        acme.is_granted(200, key="next", paid=Money(40, "USD"))
        assert by_day()[date(2026, 11, 12), "credits"] == 12 * USD, "60 credits of debt at 0.20"


def by_day() -> dict[tuple[date, str], int]:
    """What ledgers earned, by day and kind."""
    rows = margin_rows(EVER, [Dimension.DAY], now=datetime(2027, 1, 1, tzinfo=UTC))
    return {
        (row.key[0], kind.value): amount // FEMTO_PER_NANO  # type: ignore[misc]
        for row in rows
        for kind, amount in row.margin.own.revenue.items()
        if amount and kind != "subscription"
    }


def void_everything_else(acme: Actor, now: datetime) -> None:
    """Leave the customer nothing but what it bought."""
    for grant in CreditGrant.objects.filter(customer_id=acme.row.pk, closed_at=None, paid=0):
        void_grant(acme.key, grant.id, actor="finance", reason="test", now=now)


class History:
    """Customers to whom anything happens, in two currencies."""

    def __init__(self, world: World, random: Random) -> None:
        self.random, self.now, self.step = random, NOVEMBER, 0
        team = world.plan("team", price="123.45", included=10, at_limit="overage", overage_price="0.017")
        self.plans = [world.pro, world.metered, team]
        self.actors = [Actor(f"c{number}", self.now, random.choice(self.plans)) for number in range(2)]
        self.actors.append(berlin := Actor("berlin", self.now))
        Customer.objects.filter(pk=berlin.row.pk).update(currency="EUR")
        subscribe("berlin", plan("euro", "49.99", currency="EUR"), self.now)
        self.disputes: list[tuple[Actor, Reversal]] = []

    def goes_on(self) -> None:
        """Something happens to somebody."""
        self.step += 1
        self.now += timedelta(seconds=self.random.randrange(3 * 86_400))
        acme = self.random.choice(self.actors)
        acme.now = self.now
        often = [self.spends] * 5 + [self.buys] * 2 + [self.disputes_a_pack] * 2
        self.random.choice([*often, self.changes_plan, self.leaves, self.loses_a_pack, self.wins, self.adds_up])(acme)

    def spends(self, acme: Actor) -> None:
        late = timedelta(hours=self.random.randrange(60)) if self.random.random() < 0.3 else timedelta()
        credits = f"{self.random.randrange(20)}.{self.random.randrange(1, 10**6):06d}"
        acme.uses(
            accounts.fact(
                f"e{self.step}", at=max(self.now - late, NOVEMBER), stated_microcredits=parse_credits(credits)
            )
        )

    def buys(self, acme: Actor) -> None:
        expires = self.random.choice([None, self.now + timedelta(days=self.random.randrange(1, 40))])
        price = f"{self.random.randrange(1, 90)}.{self.random.randrange(100):02d}"
        paid = Money(price, "EUR" if acme.key == "berlin" else "USD")
        acme.is_granted(self.random.randrange(1, 90), key=f"g{self.step}", paid=paid, expires_at=expires)

    def disputes_a_pack(self, acme: Actor) -> None:
        if pack := self._pack(acme):
            part = f"{self.random.randrange(1, 50)}.{self.random.randrange(100):02d}"
            if Decimal(part) <= pack.paid.amount:
                self.disputes.append((acme, goes_back(acme.row, pack.id, part, self.now, kind="dispute")))

    def wins(self, acme: Actor) -> None:
        if self.disputes:
            of, taken = self.disputes.pop()
            comes_back(of.row, taken, self.now)

    def changes_plan(self, acme: Actor) -> None:
        if acme.key != "berlin":
            subscribe(acme.key, self.random.choice(self.plans), self.now)

    def leaves(self, acme: Actor) -> None:
        if self.random.random() < 0.3 and Subscription.objects.filter(customer=acme.row, ended_at=None).exists():
            end_subscription(acme.key, self.now)

    def loses_a_pack(self, acme: Actor) -> None:
        if pack := self._pack(acme):
            with suppress(Problem):  # closed already
                void_grant(acme.key, pack.id, actor="finance", reason="test", now=self.now)

    def adds_up(self, acme: Actor) -> None:
        add_revenue()

    def _pack(self, acme: Actor) -> CreditGrant | None:
        packs = CreditGrant.objects.filter(customer_id=acme.row.pk, paid__gt=0, activated_at__isnull=False)
        found = list(packs.order_by("created_at", "key"))
        return self.random.choice(found) if found else None


@pytest.mark.parametrize("seed", range(12))
def test_earned_and_deferred_are_billed_less_refunds(seed: int, world: World) -> None:
    random = Random(seed)
    history = History(world, random)
    for _ in range(45):
        history.goes_on()
    now = history.now + timedelta(hours=1)
    for acme in history.actors:
        acme.balance(now)
    found = {row.currency: row for row in billed(EVER, now=now)}
    expected = owed_in_work(now)
    assert {currency for currency, amount in expected.items() if amount} <= set(found)
    for currency, row in found.items():
        assert row.total_recognised + expected[currency] == row.total_billed, currency
        assert row.deferred_after == expected[currency]
    whole = total(row.margin for row in margin_rows(EVER, [], now=now))
    assert total(row.margin for row in margin_rows(EVER, [Dimension.CUSTOMER], now=now)) == whole
    split = date(2026, 11, 1) + timedelta(days=random.randrange(1, 60))
    for later in billed(Scope(split, EVER.end), now=now):
        assert later.deferred_after == found[later.currency].deferred_after, "wherever the days are cut"
    add_revenue()
    assert list(differences()) == []


def owed_in_work(now: datetime) -> Counter[str]:
    """Deferred revenue counted from the other end: what is left of every pack and period, less unbilled overage."""
    owed: Counter[str] = Counter()
    for grant in CreditGrant.objects.filter(paid__gt=0):
        paid, used, voided = nano_of(grant.paid.amount), 0, 0
        for entry in LedgerEntry.objects.filter(customer_id=grant.customer_id, grant_id=grant.id, bucket=1).order_by(
            "seq"
        ):
            if entry.kind == EntryKind.GRANT:
                continue
            before, used = used, used - entry.amount_microcredits
            if entry.kind == EntryKind.VOID:
                voided += grant_revenue(GrantBasis(grant.amount_microcredits, paid, ""), before=before, after=used)
        owed[grant.paid.currency.code] += paid - paid * used // grant.amount_microcredits + voided
    for one in Subscription.objects.select_related("plan_version"):
        version = one.plan_version
        until = min(one.ended_at or now, now)
        followed = (
            Subscription.objects.filter(customer=one.customer, started_at=one.ended_at).exclude(pk=one.pk).exists()
        )
        if followed or one.ended_at == one.started_at or not version.price.amount:
            continue
        start, end = period_at(one.anchor, version.interval, until)
        if one.ended_at is not None and start == until:
            continue  # it left as its period ended
        price = nano_of(version.price.amount)
        owed[version.price.currency.code] += accrued_between(price, start=start, end=end, since=until, until=end)
    for entry in LedgerEntry.objects.filter(bucket=3):
        version = plan_of(entry)
        if version is None or version.overage_price is None:
            continue
        price = nano_of(version.overage_price.amount)
        sign = 1 if entry.kind == EntryKind.OVERAGE_BILLED else -1
        owed[version.overage_price.currency.code] += sign * overage_revenue(sign * entry.amount_microcredits, price)
    return owed


def plan_of(entry: LedgerEntry) -> PlanVersion | None:
    """The plan an entry of overage is of: its event's, or the one in force; a period's end is of the plan it ends."""
    if entry.event_digest is not None:
        event = UsageEvent.objects.get(customer_id=entry.customer_id, key_digest=entry.event_digest)
        return PlanVersion.objects.filter(pk=event.plan_version_id).first()
    at_end = entry.kind == EntryKind.OVERAGE_BILLED
    for one in Subscription.objects.filter(customer_id=entry.customer_id).order_by("-started_at", "-id"):
        begun = one.started_at < entry.effective_at if at_end else one.started_at <= entry.effective_at
        gone = one.ended_at is not None and (
            one.ended_at < entry.effective_at if at_end else one.ended_at <= entry.effective_at
        )
        if begun and not gone:
            return one.plan_version
    return None
