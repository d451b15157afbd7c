"""Beginning a subscription, on a page or with a saved card: one per customer, whatever is lost on the way."""

from datetime import timedelta

import pytest

from billing.models import StripeSubscription, SubscriptionOrder
from billing.prices.applying import PlanNotAtStripe
from billing.stripe.errors import PaymentsUnavailable
from billing.subscriptions.mirror import live
from billing.subscriptions.problems import AlreadySubscribed, NoCardOnFile, PlanCurrency, SubscriptionNotPaid
from billing.subscriptions.starting import Wanted, start_checkout, start_with_card
from entitlements.models import CreditGrant, Subscription
from entitlements.services.subscriptions import PlanNotPublished
from kernel.errors import KeyReused
from plans.models import PlanVersion
from plans.services.publishing import retire_plan_version
from tests.billing.stripe_shop import Shop
from tests.world import CREDIT, Actor

PAGES = {"success_url": "https://shop.example/thanks", "cancel_url": "https://shop.example/plans"}


def wanted(plan: PlanVersion, key: str = "k1", **parts: object) -> Wanted:
    return Wanted(**({"key": key, "plan_version": plan} | PAGES | parts))  # type: ignore[arg-type]


def allowances(actor: Actor) -> list[CreditGrant]:
    return list(CreditGrant.objects.filter(customer_id=actor.row.pk, source="allowance").order_by("effective_at"))


def test_a_paid_checkout_puts_the_customer_on_the_plan_at_stripes_anchor(shop: Shop) -> None:
    shop.opens()
    acme = shop.customer()
    order, new = start_checkout("acme", wanted(shop.world.pro), shop.now)
    assert (new, order.state, order.url.startswith("http")) == (True, "open", True)
    assert acme.balance(shop.now).posted == 0

    shop.sandbox.pay(str(order.checkout_session_id))
    shop.hears()

    row = shop.subscription(acme)
    ours = Subscription.objects.get(customer=acme.row)
    assert (row.status, row.plan_version, row.subscription) == ("active", shop.world.pro, ours)
    assert (ours.anchor, ours.started_at) == (row.anchor, row.period_start)
    balance = acme.balance(shop.now)
    assert (balance.posted, balance.period_end) == (100 * CREDIT, row.period_end)
    order.refresh_from_db()
    assert (order.state, order.stripe_subscription_id) == ("done", row.pk)
    assert shop.sandbox.totals()["usd"]["charged"] == 2900


def test_the_same_key_answers_the_same_page_and_another_body_is_refused(shop: Shop) -> None:
    shop.opens()
    shop.customer()
    first, _ = start_checkout("acme", wanted(shop.world.pro), shop.now)
    again, new = start_checkout("acme", wanted(shop.world.pro), shop.now)
    assert (again.url, new) == (first.url, False)
    with pytest.raises(KeyReused):
        start_checkout("acme", wanted(shop.world.pro, trial_days=7), shop.now)


def test_a_second_page_closes_the_first_so_that_nobody_pays_twice(shop: Shop) -> None:
    shop.opens()
    shop.customer()
    first, _ = start_checkout("acme", wanted(shop.world.pro), shop.now)
    second, _ = start_checkout("acme", wanted(shop.world.pro, "k2"), shop.now)

    first.refresh_from_db()
    assert (first.state, second.state) == ("expired", "open")
    states = {one["id"]: one["status"] for one in shop.sandbox.objects("checkout.session")}
    assert states == {first.checkout_session_id: "expired", second.checkout_session_id: "open"}


def test_who_paid_on_the_first_page_is_subscribed_when_asking_for_a_second(shop: Shop) -> None:
    shop.opens()
    acme = shop.customer()
    first, _ = start_checkout("acme", wanted(shop.world.pro), shop.now)
    shop.sandbox.pay(str(first.checkout_session_id))  # and its webhook is still on its way

    with pytest.raises(AlreadySubscribed):
        start_checkout("acme", wanted(shop.world.pro, "k2"), shop.now)

    assert acme.balance(shop.now).posted == 100 * CREDIT


@pytest.mark.parametrize("loses", ["nothing", "checkout", "customer.subscription", "invoice"])
def test_whichever_webhooks_are_lost_the_allowance_is_granted_once(shop: Shop, loses: str) -> None:
    shop.opens()
    acme = shop.customer()
    order, _ = start_checkout("acme", wanted(shop.world.pro), shop.now)
    shop.sandbox.pay(str(order.checkout_session_id))
    shop.hears(loses=loses)
    shop.hears()
    assert acme.balance(shop.now).posted == 100 * CREDIT
    assert len(allowances(acme)) == 1


def test_with_every_webhook_lost_the_sweep_finds_it(shop: Shop) -> None:
    shop.opens()
    acme = shop.customer()
    order, _ = start_checkout("acme", wanted(shop.world.pro), shop.now)
    shop.sandbox.pay(str(order.checkout_session_id))

    shop.sweeps()

    assert acme.balance(shop.now).posted == 100 * CREDIT
    order.refresh_from_db()
    assert order.state == "done"


def test_a_saved_card_is_charged_at_once(shop: Shop) -> None:
    shop.opens()
    acme = shop.customer(card="pm_card_visa")
    order, new = start_with_card("acme", wanted(shop.world.pro), shop.now)
    assert (new, order.state) == (True, "done")
    assert acme.balance(shop.now).posted == 100 * CREDIT
    again, new = start_with_card("acme", wanted(shop.world.pro), shop.now)
    assert (again.pk, new) == (order.pk, False)
    assert shop.sandbox.totals()["usd"]["charges"] == 1
    with pytest.raises(AlreadySubscribed):
        start_with_card("acme", wanted(shop.world.pro, "k2"), shop.now)


def test_a_declined_card_leaves_nothing_behind_and_says_why_again(shop: Shop) -> None:
    shop.opens()
    acme = shop.customer(card="pm_card_chargeCustomerFail")
    for _ in range(2):
        with pytest.raises(SubscriptionNotPaid) as refusal:
            start_with_card("acme", wanted(shop.world.pro), shop.now)
        assert refusal.value.extra["decline_code"]
    assert (live(acme.row), shop.sandbox.objects("subscription")) == (None, [])


def test_without_a_card_there_is_nothing_to_charge(shop: Shop) -> None:
    shop.opens()
    shop.customer()
    with pytest.raises(NoCardOnFile):
        start_with_card("acme", wanted(shop.world.pro), shop.now)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "server_error_after"])
def test_an_answer_that_is_lost_is_asked_for_again_and_charged_once(shop: Shop, fault: str) -> None:
    shop.opens()
    acme = shop.customer(card="pm_card_visa")
    shop.loses_answers(fault, "/v1/subscriptions")
    with pytest.raises(PaymentsUnavailable):
        start_with_card("acme", wanted(shop.world.pro), shop.now)
    assert SubscriptionOrder.objects.get().state == "open"

    shop.hears()
    if fault != "server_error_after":  # that one Stripe remembers: only its events tell what happened
        start_with_card("acme", wanted(shop.world.pro), shop.now)

    assert SubscriptionOrder.objects.get().state == "done"
    assert acme.balance(shop.now).posted == 100 * CREDIT
    assert shop.sandbox.totals()["usd"]["charges"] == 1


def test_after_a_day_an_unheard_answer_is_looked_for_before_it_is_asked_again(shop: Shop) -> None:
    shop.opens()
    acme = shop.customer(card="pm_card_visa")
    shop.loses_answers("drop_after", "/v1/subscriptions")
    with pytest.raises(PaymentsUnavailable):
        start_with_card("acme", wanted(shop.world.pro), shop.now)

    shop.later(days=2, hears=False)
    start_with_card("acme", wanted(shop.world.pro), shop.now)

    assert shop.sandbox.totals()["usd"]["charges"] == 1
    assert acme.balance(shop.now).posted == 100 * CREDIT


def test_what_is_not_for_sale_is_refused_before_stripe_is_asked(shop: Shop) -> None:
    shop.customer()
    shop.customer("kiko", currency="JPY")
    with pytest.raises(PlanNotAtStripe):
        start_checkout("acme", wanted(shop.world.pro), shop.now)
    shop.opens()
    with pytest.raises(PlanCurrency):
        start_checkout("kiko", wanted(shop.world.pro), shop.now)
    retire_plan_version(shop.world.pro.pk, now=shop.now)
    shop.world.pro.refresh_from_db()
    with pytest.raises(PlanNotPublished):
        start_checkout("acme", wanted(shop.world.pro), shop.now)


def test_a_plan_retired_while_the_page_was_open_is_still_what_was_bought(shop: Shop) -> None:
    shop.opens()
    acme = shop.customer()
    order, _ = start_checkout("acme", wanted(shop.world.pro), shop.now)
    retire_plan_version(shop.world.pro.pk, now=shop.now)
    shop.sandbox.pay(str(order.checkout_session_id))
    shop.hears()
    assert acme.balance(shop.now).plan_version_id == shop.world.pro.pk


def test_a_second_subscription_made_at_stripe_comes_to_nothing_and_its_money_is_credit(shop: Shop) -> None:
    shop.opens()
    acme = shop.customer(card="pm_card_visa")
    start_with_card("acme", wanted(shop.world.pro), shop.now)
    first = shop.subscription(acme)
    price = shop.world.pro.stripe_price.price_id
    shop.stripe.v1.subscriptions.create({"customer": first.stripe_customer, "items": [{"price": price}]})
    shop.hears()

    second = StripeSubscription.objects.get(surplus=True)
    assert (second.status, second.subscription) == ("canceled", None)
    assert shop.stripe.v1.customers.retrieve(first.stripe_customer).balance == -2900
    assert acme.balance(shop.now).posted == 100 * CREDIT
    assert shop.subscription(acme).status == "active"


def test_a_subscription_of_nobody_we_know_is_left_alone(shop: Shop) -> None:
    shop.opens()
    stranger = shop.stripe.v1.customers.create({"email": "x@example.com"})
    price = shop.world.metered.stripe_price.price_id
    shop.stripe.v1.subscriptions.create({"customer": stranger.id, "items": [{"price": price}]})
    shop.hears()
    assert not StripeSubscription.objects.exists()


def test_what_stripe_renews_the_local_timeline_renews_at_the_same_instants(shop: Shop) -> None:
    shop.sandbox.later(days=77)  # 31 January
    shop.opens()
    acme = shop.customer(card="pm_card_visa")
    start_with_card("acme", wanted(shop.world.pro), shop.now)
    ends = []
    for _ in range(4):
        row = shop.subscription(acme)
        assert acme.balance(shop.now).period_end == row.period_end
        ends.append(row.period_end.day)
        shop.later(seconds=int((row.period_end - shop.now).total_seconds()) + 3601)
    assert ends == [28, 31, 30, 31]
    assert [grant.effective_at.day for grant in allowances(acme)][:4] == [31, 28, 31, 30]
    assert timedelta(0) < shop.now - row.period_end < timedelta(hours=2)
