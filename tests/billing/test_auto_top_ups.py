"""A low balance is topped up by itself: once, with one charge, and never past what its owner allowed."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from moneyed import Money

from billing.models import AutoTopUp, TopUpOrder
from billing.services.auto_top_ups import (
    AutoTopUpTerms,
    end_auto_top_up,
    place_due_orders,
    place_order,
    set_auto_top_up,
)
from billing.services.charging import BACK_OFFS, charge_due_orders
from entitlements.models import OutboxMessage
from tests.billing.cast import Buyer, Shop
from tests.world import CREDIT

pytestmark = pytest.mark.django_db


def spender(shop: Shop, *, threshold: int = 50, card: str = "pm_card_visa", **terms: Any) -> Buyer:
    """A customer with 100 credits and a card, whose balance is kept above the threshold by small packs."""
    acme = shop.buyer()
    acme.buys(key="first")
    shop.deliver()
    if card != "pm_card_visa":
        behaves(shop, card)
    wants = AutoTopUpTerms(**({"threshold_microcredits": threshold * CREDIT, "pack": "small"} | terms))
    set_auto_top_up("acme", wants, shop.now)
    return acme


def behaves(shop: Shop, card: str) -> None:
    """The saved card starts to behave like another."""
    (customer,) = shop.stripe.objects("customer")
    saved = customer["invoice_settings"]["default_payment_method"]
    shop.stripe.control("POST", f"/sandbox/payment_methods/{saved}", behaves_like=card)


def work(shop: Shop, now: datetime | None = None) -> None:
    """What beat wakes every few seconds."""
    place_due_orders(now or shop.now)
    charge_due_orders(now or shop.now)


def told(kind: str) -> list[dict[str, Any]]:
    return list(OutboxMessage.objects.filter(kind=kind).order_by("id").values_list("payload", flat=True))


def auto_order() -> TopUpOrder:
    return TopUpOrder.objects.get(origin="auto")


def test_crossing_the_threshold_buys_a_pack(shop: Shop) -> None:
    acme = spender(shop)
    acme.spends(50, key="to-the-mark")
    work(shop)
    assert acme.available == 50
    acme.spends(1, key="below-it")
    work(shop)
    assert acme.available == 149
    assert (auto_order().state, auto_order().paid) == ("paid", Money(10, "USD"))
    assert told("balance.low") == [{"available": "49", "threshold": "50"}]
    assert [each["origin"] for each in told("top_up.succeeded")] == ["checkout", "auto"]
    work(shop)
    shop.deliver()
    assert shop.stripe.totals()["usd"]["charges"] == 2
    shop.assert_proven()


def test_one_charge_closes_the_whole_gap(shop: Shop) -> None:
    acme = spender(shop)
    acme.spends(380, key="far-below")  # 280 in debt
    work(shop)
    order = auto_order()
    assert (order.packs, order.amount) == (4, Money(40, "USD"))
    assert acme.available == 120
    assert shop.stripe.totals()["usd"]["charges"] == 2


def test_never_past_the_monthly_cap(shop: Shop) -> None:
    acme = spender(shop, monthly_cap=Money(25, "USD"))
    acme.spends(380, key="far-below")
    work(shop)
    assert (auto_order().packs, acme.available) == (2, -80)
    work(shop)
    assert TopUpOrder.objects.filter(origin="auto").count() == 1
    assert [each["monthly_cap"] for each in told("top_up.cap_reached")] == [{"amount": "25.000", "currency": "USD"}]

    december = datetime.fromisoformat("2026-12-01T00:00:00Z")
    work(shop, december - timedelta(seconds=1))
    assert acme.available == -80
    work(shop, december)
    assert acme.available == 120


def test_a_custom_amount_is_bought_as_often_as_needed(shop: Shop) -> None:
    acme = spender(shop, pack=None, microcredits=30 * CREDIT)
    acme.spends(100, key="all")
    work(shop)
    assert (acme.available, auto_order().amount) == (60, Money(6, "USD"))


def test_a_decline_backs_off_tells_and_in_the_end_rests(shop: Shop) -> None:
    acme = spender(shop, card="pm_card_chargeCustomerFail")
    acme.spends(60, key="below")
    now = shop.now
    for number, wait in enumerate((*BACK_OFFS, None), start=1):
        work(shop, now)
        work(shop, now)
        assert len(told("top_up.failed")) == number
        if wait is not None:
            work(shop, now + wait - timedelta(seconds=1))
            assert len(told("top_up.failed")) == number
            now += wait
    assert (auto_order().state, auto_order().failure_code) == ("failed", "generic_decline")
    assert AutoTopUp.objects.get().paused_reason == "declined"
    assert told("top_up.failed")[-1]["retry_at"] is None
    assert len(shop.stripe.objects("payment_intent")) == 2  # the first purchase's and this order's
    work(shop, now + timedelta(days=1))
    assert TopUpOrder.objects.filter(origin="auto").count() == 1
    shop.deliver()
    assert shop.stripe.totals()["usd"]["charges"] == 1


def test_a_card_that_recovers_is_charged_at_the_next_try(shop: Shop) -> None:
    acme = spender(shop, card="pm_card_chargeCustomerFail")
    acme.spends(60, key="below")
    work(shop)
    behaves(shop, "pm_card_visa")
    work(shop, shop.now + BACK_OFFS[0])
    assert (auto_order().state, acme.available) == ("paid", 140)
    assert AutoTopUp.objects.get().failures == 0
    shop.deliver()
    shop.assert_proven()


def test_a_bank_that_wants_to_see_the_customer(shop: Shop) -> None:
    acme = spender(shop, card="pm_card_authenticationRequired")
    acme.spends(60, key="below")
    work(shop)
    order = auto_order()
    assert order.state == "needs_action"
    (asks,) = told("top_up.needs_action")
    assert (asks["url"], asks["code"]) == (order.url, "authentication_required")
    assert AutoTopUp.objects.get().paused_reason == "needs_action"
    canceled = [each["status"] for each in shop.stripe.objects("payment_intent")]
    assert canceled.count("canceled") == 1  # what was asked for first can never be charged any more

    shop.stripe.pay(str(order.checkout_session_id), "pm_card_visa")
    shop.deliver()
    assert (auto_order().state, acme.available) == ("paid", 140)
    assert AutoTopUp.objects.get().paused_reason == ""
    shop.assert_proven()


def test_a_link_nobody_follows_expires_and_auto_top_up_rests(shop: Shop) -> None:
    acme = spender(shop, card="pm_card_authenticationRequired")
    acme.spends(60, key="below")
    work(shop)
    shop.stripe.later(days=2)
    shop.deliver()
    assert auto_order().state == "expired"
    work(shop, shop.now + timedelta(days=2))
    assert TopUpOrder.objects.filter(origin="auto").count() == 1


def test_without_a_card_the_customer_is_asked(shop: Shop) -> None:
    acme = shop.buyer()
    acme.is_granted(10)
    set_auto_top_up("acme", AutoTopUpTerms(threshold_microcredits=50 * CREDIT, pack="small"), shop.now)
    work(shop)
    order = auto_order()
    assert (order.state, order.failure_code) == ("needs_action", "no_payment_method")
    shop.stripe.pay(str(order.checkout_session_id))
    shop.deliver()
    assert acme.available == 110
    assert AutoTopUp.objects.get().paused_reason == ""


def test_what_was_bought_by_hand_meanwhile_is_not_bought_again(shop: Shop) -> None:
    acme = spender(shop, card="pm_card_chargeCustomerFail")
    acme.spends(60, key="below")
    work(shop)
    acme.buys("big", key="by-hand")
    shop.deliver()
    behaves(shop, "pm_card_visa")
    work(shop, shop.now + BACK_OFFS[0])
    assert (auto_order().state, auto_order().failure_code) == ("expired", "not_needed")
    assert acme.available == 1090
    shop.deliver()
    assert shop.stripe.totals()["usd"]["charges"] == 2


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "server_error_after", "rate_limited"])
def test_an_answer_that_never_came_is_asked_for_again(shop: Shop, fault: str) -> None:
    acme = spender(shop)
    acme.spends(60, key="below")
    shop.stripe.fails(fault, "/v1/payment_intents", method="POST")
    shop.stripe.fails("drop_before", "/v1/payment_intents", method="POST", times=2)
    work(shop)
    work(shop, shop.now + timedelta(minutes=1))
    assert (auto_order().state, acme.available) == ("paid", 140)
    shop.deliver()
    assert shop.stripe.totals()["usd"]["charges"] == 2
    shop.assert_proven()


def test_one_order_in_flight(shop: Shop) -> None:
    acme = spender(shop)
    acme.spends(60, key="below")
    assert place_order(acme.row.pk, shop.now) is not None
    assert place_order(acme.row.pk, shop.now) is None


def test_ended_or_switched_off_nothing_is_bought(shop: Shop) -> None:
    acme = spender(shop, enabled=False)
    acme.spends(60, key="below")
    work(shop)
    set_auto_top_up("acme", AutoTopUpTerms(threshold_microcredits=50 * CREDIT, pack="small"), shop.now)
    place_due_orders(shop.now)
    end_auto_top_up("acme", shop.now)
    work(shop)
    assert (auto_order().state, acme.available) == ("expired", 40)


def test_a_customer_deleted_at_stripe_is_not_charged(shop: Shop) -> None:
    acme = spender(shop)
    from billing.stripe.client import client

    client().v1.customers.delete(shop.stripe.objects("customer")[0]["id"])
    acme.spends(60, key="below")
    work(shop)
    assert AutoTopUp.objects.get().paused_reason == "customer_deleted"
    assert auto_order().state == "failed"
    acme.buys(key="again")
    shop.deliver()
    work(shop)
    assert AutoTopUp.objects.get().paused_reason == ""
    assert acme.available == 140


def test_a_pack_taken_off_sale_stops_it_and_says_so(shop: Shop) -> None:
    acme = spender(shop)
    shop.small.active = False
    shop.small.save()
    acme.spends(60, key="below")
    work(shop)
    assert AutoTopUp.objects.get().paused_reason == "refused"
    assert [each["code"] for each in told("top_up.failed")] == ["pack_unknown"]
