"""A subscription through its life at Stripe, and what the customer may do here at each turn of it."""

from datetime import datetime, timedelta

import pytest

from billing.models import StripeInvoice, StripeSubscription
from billing.stripe.errors import PaymentsUnavailable
from billing.subscriptions.changing import cancel, change_plan, go_on
from billing.subscriptions.due import follow_due
from billing.subscriptions.mirror import converge_subscription
from billing.subscriptions.problems import IntervalChangesNow, NotSubscribedAtStripe
from billing.subscriptions.starting import Wanted, start_with_card
from entitlements.core.check import Question, check
from entitlements.core.standing import PaymentOverdue
from entitlements.models import Balance, CreditGrant, OutboxMessage, Subscription
from entitlements.services.accounts import read_account
from entitlements.services.subscriptions import subscribe
from plans.models import PlanVersion
from tests.billing.stripe_shop import Shop
from tests.world import CREDIT, Actor, assert_ledger_explains

MONTH = 30  # from 15 November to 15 December
HOUR = 3601


def subscribed(shop: Shop, plan: PlanVersion, *, trial_days: int = 0, card: str = "pm_card_visa") -> Actor:
    shop.opens()
    acme = shop.customer(card=card)
    start_with_card("acme", Wanted(key="k1", plan_version=plan, trial_days=trial_days), shop.now)
    shop.hears()
    return acme


def granted(actor: Actor, now: datetime) -> list[int]:
    """The days of the month on which an allowance began."""
    actor.spends("0.000001", key=f"look-{now.isoformat()}", now=now)
    grants = CreditGrant.objects.filter(customer_id=actor.row.pk, source="allowance").order_by("effective_at")
    return [grant.effective_at.day for grant in grants]


def answer(actor: Actor, now: datetime) -> str:
    """What the gate says to a call of one credit."""
    account, reference = read_account(actor.key, now)
    question = Question(feature="chat", estimate=CREDIT)
    return check(account, question, reference.catalogue, reference.costs, now, {}).reason


def overdue_since(actor: Actor) -> datetime | None:
    return Balance.objects.get(customer_id=actor.row.pk).overdue_since


def test_a_trial_then_three_renewals_then_unpaid_and_mended(shop: Shop) -> None:
    shop.sandbox.control("POST", "/sandbox/settings", after_last_retry="unpaid")
    pro = shop.world.plan("strict", price="29", included=100, grace="block", grace_days=2)
    acme = subscribed(shop, pro, trial_days=14)
    assert (shop.subscription(acme).status, granted(acme, shop.now)) == ("trialing", [15])

    shop.later(days=14, seconds=HOUR)  # 29 November
    assert (shop.subscription(acme).status, granted(acme, shop.now)) == ("active", [15, 29])
    shop.later(days=30)
    shop.later(days=31)
    assert granted(acme, shop.now) == [15, 29, 29, 29]
    assert shop.sandbox.totals()["usd"]["charged"] == 3 * 2900

    shop.card_becomes("pm_card_chargeCustomerFail")
    shop.later(days=31)  # 1 March; the renewal of 28 February was not paid
    row = shop.subscription(acme)
    assert answer(acme, shop.now) == "entitled"  # in the days of grace
    assert (row.status, row.overdue_since, overdue_since(acme)) == ("past_due", row.overdue_since, row.overdue_since)
    assert row.overdue_since is not None
    assert timedelta(0) <= row.overdue_since - row.period_start <= timedelta(hours=1)
    shop.later(days=20)
    assert shop.subscription(acme).status == "unpaid"
    assert answer(acme, shop.now) == "payment_overdue"
    assert overdue_since(acme) == row.overdue_since

    shop.card_becomes("pm_card_visa")
    shop.stripe.v1.invoices.pay(row.latest_invoice)
    shop.hears()
    assert (shop.subscription(acme).status, overdue_since(acme)) == ("active", None)
    assert answer(acme, shop.now) == "entitled"
    assert shop.sandbox.totals()["usd"]["charged"] == 4 * 2900
    assert len(granted(acme, shop.now)) == 5
    assert_ledger_explains(acme.row.pk)


@pytest.mark.parametrize("loses", ["customer.subscription", "invoice", ""])
def test_a_payment_that_failed_is_heard_of_and_so_is_its_mending_whatever_is_lost(shop: Shop, loses: str) -> None:
    acme = subscribed(shop, shop.world.pro)
    shop.card_becomes("pm_card_chargeCustomerFail")
    shop.later(days=MONTH, seconds=HOUR, hears=False)
    shop.hears(loses=loses)
    shop.sweeps()
    assert overdue_since(acme) is not None
    shop.card_becomes("pm_card_visa")
    shop.stripe.v1.invoices.pay(shop.subscription(acme).latest_invoice)
    shop.hears(loses=loses)
    shop.sweeps()
    assert overdue_since(acme) is None


def test_a_renewal_nobody_told_us_of_is_noticed_when_it_is_due(shop: Shop) -> None:
    acme = subscribed(shop, shop.world.pro)
    shop.later(days=MONTH, seconds=HOUR, hears=False)
    assert follow_due(shop.now) == 1
    assert shop.subscription(acme).period_start < shop.now < shop.subscription(acme).period_end
    assert granted(acme, shop.now) == [15, 15]


def test_an_upgrade_is_paid_for_the_rest_of_the_period_and_holds_at_once(shop: Shop) -> None:
    team = shop.world.plan("team", price="99", included=1000)
    acme = subscribed(shop, shop.world.pro)
    acme.spends(40, key="a", now=shop.now)
    shop.later(days=15)

    row = change_plan("acme", team, "auto", shop.now)

    assert (row.plan_version, row.pending_version) == (team, None)
    assert shop.sandbox.totals()["usd"]["charged"] == 2900 + 3500  # half of 99 less half of 29
    assert acme.balance(shop.now).posted == 960 * CREDIT  # what was used counts against the new allowance
    assert acme.balance(shop.now).period_end == row.period_end
    charged = shop.sandbox.totals()["usd"]["charged"]
    assert change_plan("acme", team, "auto", shop.now).plan_version == team
    shop.hears()
    assert shop.sandbox.totals()["usd"]["charged"] == charged
    shop.later(days=16)
    assert shop.sandbox.totals()["usd"]["charged"] == charged + 9900


def test_an_upgrade_that_cannot_be_paid_changes_nothing_until_it_is(shop: Shop) -> None:
    team = shop.world.plan("team", price="99", included=1000)
    acme = subscribed(shop, shop.world.pro)
    shop.card_becomes("pm_card_chargeCustomerFail")

    row = change_plan("acme", team, "now", shop.now)
    assert (row.plan_version, row.raw["pending_update"] is None) == (shop.world.pro, False)
    assert acme.balance(shop.now).plan_version_id == shop.world.pro.pk
    shop.sandbox.control("POST", f"/sandbox/invoices/{row.latest_invoice}/pay", payment_method="pm_card_visa")
    shop.hears()

    assert acme.balance(shop.now).plan_version_id == team.pk


def test_a_downgrade_waits_for_the_periods_end_and_is_charged_from_then(shop: Shop) -> None:
    team = shop.world.plan("team", price="99", included=1000)
    acme = subscribed(shop, team)
    shop.later(days=10)

    row = change_plan("acme", shop.world.pro, "auto", shop.now)
    shop.hears()

    assert (row.pending_version, row.pending_at) == (shop.world.pro, row.period_end)
    assert acme.balance(shop.now).plan_version_id == team.pk
    shop.later(days=20, seconds=HOUR)
    row = shop.subscription(acme)
    assert (row.plan_version, row.pending_version, row.subscription) == (
        shop.world.pro, None, Subscription.objects.get(customer=acme.row, ended_at=None),
    )  # fmt: skip
    assert (acme.balance(shop.now).plan_version_id, acme.balance(shop.now).posted) == (shop.world.pro.pk, 100 * CREDIT)
    assert shop.sandbox.totals()["usd"]["charged"] == 9900 + 2900
    assert_ledger_explains(acme.row.pk)


def test_a_downgrade_holds_on_time_though_nobody_tells_us(shop: Shop) -> None:
    team = shop.world.plan("team", price="99", included=1000)
    acme = subscribed(shop, team)
    change_plan("acme", shop.world.pro, "auto", shop.now)
    shop.later(days=MONTH, hears=False)
    follow_due(shop.now)
    assert acme.balance(shop.now).plan_version_id == shop.world.pro.pk
    assert acme.balance(shop.now).posted == 100 * CREDIT


def test_a_downgrade_can_be_taken_back_or_turned_into_an_upgrade(shop: Shop) -> None:
    team = shop.world.plan("team", price="99", included=1000)
    big = shop.world.plan("big", price="199", included=5000)
    acme = subscribed(shop, team)
    shop.later(days=15)
    change_plan("acme", shop.world.pro, "auto", shop.now)

    back = change_plan("acme", team, "auto", shop.now)
    assert (back.plan_version, back.pending_version) == (team, None)
    assert shop.sandbox.totals()["usd"]["charged"] == 9900

    change_plan("acme", shop.world.pro, "auto", shop.now)
    up = change_plan("acme", big, "auto", shop.now)
    assert (up.plan_version, up.pending_version) == (big, None)
    assert shop.sandbox.totals()["usd"]["charged"] == 9900 + (19900 - 9900) // 2  # prorated from what was paid
    shop.hears()
    assert acme.balance(shop.now).plan_version_id == big.pk


def test_there_and_back_in_one_day_are_different_changes_and_refill_nothing(shop: Shop) -> None:
    team = shop.world.plan("team", price="99", included=1000)
    acme = subscribed(shop, shop.world.pro)
    acme.spends(100, key="a", now=shop.now)
    for plan in (team, shop.world.pro, team, shop.world.pro):
        assert change_plan("acme", plan, "now", shop.now).plan_version == plan
    assert acme.balance(shop.now).available == 0
    assert_ledger_explains(acme.row.pk)


def test_another_interval_starts_at_once_or_not_at_all(shop: Shop) -> None:
    yearly = shop.world.plan("yearly", price="290", included=100, interval="year")
    acme = subscribed(shop, shop.world.pro)
    shop.later(days=15)
    with pytest.raises(IntervalChangesNow):
        change_plan("acme", yearly, "period_end", shop.now)
    row = change_plan("acme", yearly, "auto", shop.now)
    assert (row.anchor, row.plan_version) == (shop.now, yearly)
    assert acme.balance(shop.now).period_end == row.period_end == shop.now.replace(year=shop.now.year + 1)


def test_a_period_that_is_paid_from_its_start_has_its_whole_allowance(shop: Shop) -> None:
    shop.opens()
    acme = shop.customer(card="pm_card_visa")
    free = shop.world.plan("free", included=20)
    subscribe("acme", free, shop.now)
    acme.spends(20, key="free", now=shop.now)
    shop.later(days=1)
    start_with_card("acme", Wanted(key="k1", plan_version=shop.world.pro), shop.now)
    assert acme.balance(shop.now).posted == 100 * CREDIT

    acme.spends(100, key="first", now=shop.now)
    cancel("acme", "now", shop.now)
    shop.later(days=1)
    start_with_card("acme", Wanted(key="k2", plan_version=shop.world.pro), shop.now)
    assert acme.balance(shop.now).posted == 100 * CREDIT
    assert shop.sandbox.totals()["usd"]["charged"] == 2 * 2900


def test_a_trial_cut_short_makes_way_for_a_whole_period_and_a_longer_one_refills_nothing(shop: Shop) -> None:
    acme = subscribed(shop, shop.world.pro, trial_days=14)
    acme.spends(60, key="a", now=shop.now)
    row = shop.subscription(acme)
    shop.later(days=5)
    shop.stripe.v1.subscriptions.update(row.pk, {"trial_end": int(shop.now.timestamp()) + 20 * 86400})
    shop.hears()
    assert acme.balance(shop.now).posted == 40 * CREDIT
    shop.stripe.v1.subscriptions.update(row.pk, {"trial_end": "now"})
    shop.hears()
    assert (shop.subscription(acme).status, acme.balance(shop.now).posted) == ("active", 100 * CREDIT)


def test_of_a_period_given_back_by_time_only_what_was_used_ahead_counts(shop: Shop) -> None:
    yearly = shop.world.plan("yearly", price="290", included=100, interval="year")
    acme = subscribed(shop, shop.world.pro)
    acme.spends(80, key="a", now=shop.now)
    shop.later(days=15)  # half of the month: 50 of the 80 were due
    change_plan("acme", yearly, "now", shop.now)
    assert acme.balance(shop.now).posted == 70 * CREDIT
    change_plan("acme", shop.world.pro, "now", shop.now)
    assert acme.balance(shop.now).posted <= 70 * CREDIT


def test_no_plan_changes_while_a_payment_is_overdue(shop: Shop) -> None:
    team = shop.world.plan("team", price="99", included=1000)
    subscribed(shop, shop.world.pro)
    shop.card_becomes("pm_card_chargeCustomerFail")
    shop.later(days=MONTH, seconds=HOUR)
    with pytest.raises(PaymentOverdue):
        change_plan("acme", team, "auto", shop.now)


def test_it_ends_with_its_period_or_goes_on_after_all(shop: Shop) -> None:
    acme = subscribed(shop, shop.world.pro)
    acme.is_granted(50)
    assert cancel("acme", "period_end", shop.now).cancel_at_period_end
    assert acme.balance(shop.now).posted == 150 * CREDIT
    assert not go_on("acme", shop.now).cancel_at_period_end
    cancel("acme", "period_end", shop.now)

    shop.later(days=MONTH)

    assert (shop.subscription(acme).status, acme.balance(shop.now).plan_version_id) == ("canceled", None)
    assert acme.balance(shop.now).posted == 50 * CREDIT  # what was bought stays
    assert shop.sandbox.totals()["usd"]["charged"] == 2900
    with pytest.raises(NotSubscribedAtStripe):
        cancel("acme", "now", shop.now)
    assert_ledger_explains(acme.row.pk)


def test_it_can_end_now_and_begin_again(shop: Shop) -> None:
    acme = subscribed(shop, shop.world.pro)
    assert cancel("acme", "now", shop.now).status == "canceled"
    assert acme.balance(shop.now).posted == 0
    shop.later(days=1)
    start_with_card("acme", Wanted(key="k2", plan_version=shop.world.pro), shop.now)
    assert acme.balance(shop.now).posted == 100 * CREDIT
    assert StripeSubscription.objects.filter(customer=acme.row).count() == 2


@pytest.mark.parametrize("hears", [True, False])
def test_a_customer_deleted_at_stripe_has_no_subscription_any_more(shop: Shop, hears: bool) -> None:
    acme = subscribed(shop, shop.world.pro)
    acme.is_granted(50)
    shop.stripe.v1.customers.delete(shop.subscription(acme).stripe_customer)
    if hears:
        shop.hears()
    shop.sweeps()
    assert (shop.subscription(acme).status, acme.balance(shop.now).posted) == ("canceled", 50 * CREDIT)
    assert not Subscription.objects.filter(customer=acme.row, ended_at=None).exists()


def test_stripes_last_retry_may_end_it(shop: Shop) -> None:
    shop.sandbox.control("POST", "/sandbox/settings", after_last_retry="cancel")
    acme = subscribed(shop, shop.world.pro)
    shop.card_becomes("pm_card_chargeCustomerFail")
    shop.later(days=MONTH + 20)
    assert (shop.subscription(acme).status, acme.balance(shop.now).plan_version_id) == ("canceled", None)
    assert overdue_since(acme) is None


def test_invoices_are_kept_as_stripe_shows_them(shop: Shop) -> None:
    acme = subscribed(shop, shop.world.pro)
    shop.later(days=MONTH)
    states = StripeInvoice.objects.filter(customer=acme.row).order_by("created_at").values_list("status", "reason")
    assert list(states) == [("paid", "subscription_create"), ("draft", "subscription_cycle")]
    shop.later(seconds=HOUR)
    second = StripeInvoice.objects.latest("created_at")
    assert (second.status, str(second.total), bool(second.number), bool(second.hosted_url)) == (
        "paid", "$29.00", True, True,
    )  # fmt: skip


def test_what_staff_gave_by_hand_is_not_taken_when_a_subscription_at_stripe_ends(shop: Shop) -> None:
    subscribed(shop, shop.world.pro)
    cancel("acme", "now", shop.now)
    shop.later(days=1)
    subscribe("acme", shop.world.metered, shop.now)
    shop.later(days=40)
    shop.sweeps()
    account, _ = read_account("acme", shop.now)
    assert account.plan_version_id == shop.world.metered.pk


def test_each_turn_is_told_once(shop: Shop) -> None:
    team = shop.world.plan("team", price="99", included=1000)
    acme = subscribed(shop, team)
    change_plan("acme", shop.world.pro, "auto", shop.now)
    shop.hears()
    shop.later(days=MONTH, seconds=HOUR)
    shop.card_becomes("pm_card_chargeCustomerFail")
    shop.later(days=31, seconds=HOUR)
    cancel("acme", "now", shop.now)
    shop.hears()

    told = OutboxMessage.objects.filter(customer_id=acme.row.pk, kind="subscription.changed").order_by("id")
    turns = [(one.payload["status"], one.payload["charged"]["plan"], one.payload["next"]) for one in told]
    assert turns == [
        ("active", "team", None),
        ("active", "pro", {"plan": "pro", "version": 1}),
        ("active", "pro", None),
        ("past_due", "pro", None),
        ("canceled", "pro", None),
    ]
    assert [one.payload["previous"] is None for one in told] == [True, False, False, False, False]


def test_a_worker_that_dies_half_way_leaves_nothing_half_written(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.opens()
    acme = shop.customer(card="pm_card_visa")
    price = str(shop.world.pro.stripe_price.price_id)
    made = shop.stripe.v1.subscriptions.create({"customer": acme.row.stripe.stripe_id, "items": [{"price": price}]})
    for step in ("_written", "subscribe", "set_overdue", "_tell"):
        with monkeypatch.context() as patch:
            patch.setattr(f"billing.subscriptions.mirror.{step}", dies)
            with pytest.raises(RuntimeError):
                converge_subscription(made.id, shop.now)
        assert not StripeSubscription.objects.exists()
        assert acme.balance(shop.now).posted == 0

    shop.hears()

    assert acme.balance(shop.now).posted == 100 * CREDIT
    assert CreditGrant.objects.filter(customer_id=acme.row.pk, source="allowance").count() == 1


def dies(*args: object, **more: object) -> None:
    raise RuntimeError("killed")


@pytest.mark.parametrize(("fault", "pending"), [("drop_after", True), ("drop_before", False)])
def test_a_downgrade_whose_answer_is_lost_is_as_stripe_has_it(shop: Shop, fault: str, pending: bool) -> None:
    team = shop.world.plan("team", price="99", included=1000)
    acme = subscribed(shop, team)
    shop.loses_answers(fault, f"/v1/subscriptions/{shop.subscription(acme).pk}")
    with pytest.raises(PaymentsUnavailable):
        change_plan("acme", shop.world.pro, "auto", shop.now)

    shop.hears()
    shop.sweeps()

    assert (shop.subscription(acme).pending_version is not None) == pending
    assert acme.balance(shop.now).plan_version_id == team.pk
    assert change_plan("acme", shop.world.pro, "auto", shop.now).pending_version == shop.world.pro
    shop.later(days=MONTH, seconds=HOUR)
    assert acme.balance(shop.now).plan_version_id == shop.world.pro.pk
    assert shop.sandbox.totals()["usd"]["charged"] == 9900 + 2900


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_an_upgrade_whose_answer_is_lost_is_charged_once(shop: Shop, fault: str) -> None:
    team = shop.world.plan("team", price="99", included=1000)
    acme = subscribed(shop, shop.world.pro)
    shop.loses_answers(fault, f"/v1/subscriptions/{shop.subscription(acme).pk}")
    with pytest.raises(PaymentsUnavailable):
        change_plan("acme", team, "auto", shop.now)
    assert change_plan("acme", team, "auto", shop.now).plan_version == team
    shop.hears()
    assert acme.balance(shop.now).posted == 1000 * CREDIT
    assert shop.sandbox.totals()["usd"]["charged"] == 9900


def test_a_trial_that_ended_without_a_card_rests_until_there_is_one(shop: Shop) -> None:
    shop.opens()
    acme = shop.customer()
    shop.stripe.v1.subscriptions.create(
        {
            "customer": str(acme.row.stripe.stripe_id),
            "items": [{"price": str(shop.world.pro.stripe_price.price_id)}],
            "trial_period_days": 7,
            "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        }
    )
    shop.hears()
    assert acme.balance(shop.now).posted == 100 * CREDIT
    shop.later(days=8)
    row = shop.subscription(acme)
    assert (row.status, acme.balance(shop.now).posted, follow_due(shop.now)) == ("paused", 0, 0)

    shop.saves_card(acme.row.stripe, "pm_card_visa")
    shop.stripe.v1.subscriptions.resume(row.pk)
    shop.hears()
    assert (shop.subscription(acme).status, acme.balance(shop.now).posted) == ("active", 100 * CREDIT)
