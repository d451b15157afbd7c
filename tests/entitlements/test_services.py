"""The services on a real database: idempotent, exact under concurrency, explained by the ledger."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from moneyed import Money

from entitlements.core.record import Recorded
from entitlements.core.words import EntryKind
from entitlements.models import CreditGrant, Customer, LedgerEntry, Subscription
from entitlements.services.grants import GrantClosed, GrantRequest, add_grant, void_grant
from entitlements.services.problems import CustomerUnknown
from entitlements.services.subscriptions import NotSubscribed, PlanNotPublished, end_subscription, subscribe
from kernel.errors import InvalidInput, KeyReused
from metering.models import UsageDay, UsageEvent, UsageMonth
from tests.accounts import fact
from tests.world import CREDIT, Actor, World, assert_ledger_explains, in_parallel


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def acme(world: World, now: datetime) -> Actor:
    return Actor("acme", now, world.pro)


def test_subscribing_grants_the_allowance(acme: Actor) -> None:
    assert acme.available == 100
    assert_ledger_explains(acme.row.pk)


def test_usage_moves_event_ledger_balance_and_rollups_together(acme: Actor, now: datetime) -> None:
    (recorded,) = acme.uses(fact("e1", at=now))
    assert isinstance(recorded, Recorded)
    assert recorded.charged_microcredits == 140_000
    event = UsageEvent.objects.get(customer_id=acme.row.pk)
    # gpt-4o-mini at 0.15 / 0.60 USD per million: 1,000 × 0.15 + 100 × 0.60 = 0.00021 USD.
    assert (event.model, event.charged_microcredits, event.cost_nanousd) == ("gpt-4o-mini", 140_000, 210_000)
    day = UsageDay.objects.get(customer_id=acme.row.pk)
    month = UsageMonth.objects.get(customer_id=acme.row.pk)
    assert (day.day, month.month) == (now.date(), now.date().replace(day=1))
    for sums in (day, month):
        assert (sums.calls, sums.input_tokens, sums.charged_microcredits, sums.cost_nanousd) == (
            1,
            1000,
            140_000,
            210_000,
        )
    assert acme.balance().available == 100 * CREDIT - 140_000
    assert_ledger_explains(acme.row.pk)


def test_the_same_event_is_counted_once_and_answers_the_same(acme: Actor, now: datetime) -> None:
    first, second = acme.uses(fact("e1", at=now), fact("e1", at=now))
    (third,) = acme.uses(fact("e1", at=now), now=now + timedelta(days=2))
    assert isinstance(first, Recorded)
    for again in (second, third):
        assert isinstance(again, Recorded)
        assert again.duplicate
        assert (again.charged_microcredits, again.cost_nanousd) == (first.charged_microcredits, first.cost_nanousd)
    assert UsageEvent.objects.count() == 1
    assert UsageDay.objects.get().calls == 1


def test_a_reused_key_is_a_conflict_also_inside_one_batch(acme: Actor, now: datetime) -> None:
    first, second = acme.uses(fact("e1", at=now), fact("e1", at=now, model="gpt-4o"))
    assert isinstance(first, Recorded)
    assert isinstance(second, KeyReused)
    assert UsageEvent.objects.count() == 1


def test_a_bad_item_spoils_no_other(acme: Actor, now: datetime) -> None:
    good, bad, also_good = acme.uses(fact("e1", at=now), fact("e2", at=now, feature="nope"), fact("e3", at=now))
    assert isinstance(good, Recorded)
    assert not isinstance(bad, Recorded)
    assert isinstance(also_good, Recorded)
    assert UsageEvent.objects.count() == 2
    assert_ledger_explains(acme.row.pk)


def test_a_late_event_moves_the_balance_now_and_the_rollup_of_its_own_day(acme: Actor, now: datetime) -> None:
    acme.balance()
    acme.uses(fact("late", at=now - timedelta(days=3)))
    assert acme.balance().available == 100 * CREDIT - 140_000
    assert UsageDay.objects.get().day == (now - timedelta(days=3)).date()


def test_a_grant_is_made_once_per_key(acme: Actor, now: datetime) -> None:
    request = GrantRequest(key="topup-1", microcredits=5 * CREDIT, source="top_up", paid=Money("10", "USD"))
    first, made = add_grant("acme", request, now)
    again, made_again = add_grant("acme", request, now + timedelta(hours=1))
    assert (made, made_again, first.pk == again.pk) == (True, False, True)
    assert acme.available == 105
    other = GrantRequest(key="topup-1", microcredits=6 * CREDIT, source="top_up")
    with pytest.raises(KeyReused):
        add_grant("acme", other, now)


def test_grants_that_make_no_sense_are_refused(acme: Actor, now: datetime) -> None:
    with pytest.raises(InvalidInput):
        acme.is_granted(5, expires_at=now - timedelta(days=1))
    with pytest.raises(InvalidInput):
        acme.is_granted(0)
    with pytest.raises(CustomerUnknown):
        add_grant("nobody", GrantRequest(key="k", microcredits=1, source="promo"), now)


def test_voiding_takes_back_what_is_left_and_says_who_and_why(acme: Actor, now: datetime) -> None:
    end_subscription("acme", now)
    grant = acme.is_granted(10)
    acme.spends(4, key="e1")
    voided = void_grant("acme", grant.id, actor="ann", reason="mistake", now=now)
    assert acme.available == 0
    assert "ann: mistake" in voided.reason
    with pytest.raises(GrantClosed):
        void_grant("acme", grant.id, actor="ann", reason="again", now=now)
    assert_ledger_explains(acme.row.pk)


def test_a_read_shows_what_is_due_without_a_cron(acme: Actor, now: datetime) -> None:
    acme.spends(30, key="e1")
    next_month = now + timedelta(days=31)
    assert acme.balance(next_month).available == 100 * CREDIT
    assert CreditGrant.objects.filter(customer_id=acme.row.pk).count() == 1  # reading wrote nothing
    acme.spends(1, key="e2", now=next_month)
    kinds = [entry.kind for entry in acme.ledger()]
    assert kinds == [EntryKind.GRANT, EntryKind.BURN, EntryKind.EXPIRE, EntryKind.GRANT, EntryKind.BURN]
    assert_ledger_explains(acme.row.pk)


def test_changing_plans_keeps_bought_credits(world: World, acme: Actor, now: datetime) -> None:
    acme.is_granted(7)
    team = world.plan("team", included=500)
    subscribe("acme", team, now + timedelta(days=1))
    assert acme.balance(now + timedelta(days=1)).available == 507 * CREDIT
    assert Subscription.objects.filter(customer=acme.row, ended_at=None).count() == 1
    assert_ledger_explains(acme.row.pk)


def test_changing_plans_there_and_back_refills_nothing(world: World, acme: Actor, now: datetime) -> None:
    acme.spends(60, key="e1")
    free, team = world.plan("free"), world.plan("team", included=500)
    subscribe("acme", free, now + timedelta(hours=1))
    assert acme.balance(now + timedelta(hours=1)).available == 0
    subscribe("acme", world.pro, now + timedelta(hours=2))
    assert acme.balance(now + timedelta(hours=2)).available == 40 * CREDIT
    subscribe("acme", team, now + timedelta(hours=3))
    assert acme.balance(now + timedelta(hours=3)).available == 440 * CREDIT
    next_month = now + timedelta(days=31)
    assert acme.balance(next_month).available == 500 * CREDIT
    assert_ledger_explains(acme.row.pk)


def test_subscribing_to_the_same_version_again_changes_nothing(world: World, acme: Actor, now: datetime) -> None:
    subscribe("acme", world.pro, now + timedelta(days=1))
    assert Subscription.objects.filter(customer=acme.row).count() == 1
    assert acme.balance(now + timedelta(days=1)).available == 100 * CREDIT


def test_only_published_plans_and_known_customers(world: World, acme: Actor, now: datetime) -> None:
    draft = world.pro
    draft.pk, draft.number, draft.status, draft.published_at = None, 2, "draft", None
    draft.save()
    with pytest.raises(PlanNotPublished):
        subscribe("acme", draft, now)
    with pytest.raises(CustomerUnknown):
        subscribe("nobody", draft, now)
    end_subscription("acme", now)
    with pytest.raises(NotSubscribed):
        end_subscription("acme", now)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET amount_microcredits = 1",
        "DELETE FROM ledger_entry",
        "UPDATE usage_event SET cost_nanousd = 0",
        "DELETE FROM usage_event",
    ],
)
def test_facts_cannot_be_edited(acme: Actor, now: datetime, statement: str) -> None:
    acme.uses(fact("e1", at=now))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_ledger_cannot_be_truncated(acme: Actor) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_entry ENABLE TRIGGER ledger_is_not_truncated")
        cursor.execute("TRUNCATE ledger_entry")


def test_the_database_itself_refuses_a_balance_that_cannot_be(acme: Actor) -> None:
    for change in ("posted_microcredits = -1", "held_microcredits = posted_microcredits + 1"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE balance SET {change}")


@pytest.mark.django_db(transaction=True)
def test_parallel_spending_is_exact_and_no_event_is_counted_twice(now: datetime) -> None:
    acme = Actor("acme", now, World().pro)
    # 40 distinct events of 4 credits, each sent twice, all at once: 100 are there, 60 are owed.
    outcomes = in_parallel(80, lambda number: acme.spends(4, key=f"e{number % 40}"))
    assert not [outcome for outcome in outcomes if not isinstance(outcome, Recorded)]
    assert sum(not outcome.duplicate for outcome in outcomes if isinstance(outcome, Recorded)) == 40
    balance = acme.balance()
    assert (balance.posted, balance.debt) == (0, 60 * CREDIT)
    assert UsageEvent.objects.count() == UsageDay.objects.get().calls == 40
    assert_ledger_explains(acme.row.pk)


@pytest.mark.django_db(transaction=True)
def test_parallel_grants_with_one_key_grant_once(now: datetime) -> None:
    acme = Actor("acme", now, World().pro)
    outcomes = in_parallel(12, lambda _: acme.is_granted(5, key="pack-1"))
    assert len({outcome.id for outcome in outcomes if isinstance(outcome, CreditGrant)}) == 1
    assert acme.available == 105


@pytest.mark.django_db(transaction=True)
def test_two_customers_locked_in_any_order_never_deadlock(now: datetime) -> None:
    world = World()
    for key in ("a", "b", "c"):
        Actor(key, now, world.pro)

    def both(number: int) -> int:
        from entitlements.services.usage import record_many

        order = ["a", "b", "c"] if number % 2 else ["c", "b", "a"]
        return len(record_many([(key, fact(f"e{number}", at=now)) for key in order], now))

    assert in_parallel(30, both) == [3] * 30
    for customer in Customer.objects.all():
        assert_ledger_explains(customer.pk)
    assert LedgerEntry.objects.filter(kind=EntryKind.BURN).count() == 90
