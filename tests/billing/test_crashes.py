"""Whoever dies between any two steps leaves behind what somebody else can finish: paid once, granted once.

A step is a function that changes something here or at Stripe. Each is made to die before it begins and after it has
ended, each time for a customer of its own; then time passes, the workers and the sweep do theirs, and for every one of
them it must have come out the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from billing.convergence.inbox import process_due_events
from billing.convergence.sweep import sweep
from billing.models import StripeCustomer, TopUpOrder
from billing.services.auto_top_ups import AutoTopUpTerms, place_due_orders, set_auto_top_up
from billing.services.charging import charge_due_orders
from billing.stripe.client import client
from tests.billing.cast import Buyer, Shop
from tests.world import CREDIT

pytestmark = pytest.mark.django_db

CHECKOUT = (
    "billing.services.top_ups.open_checkout",
    "billing.services.customers.create_customer",
    "billing.services.top_ups.prepare_checkout",
    "billing.services.top_ups.open_session",
    "billing.services.top_ups.keep_session",
)
PAYMENT = (
    "billing.webhook.keep_events",
    "billing.convergence.inbox.converge",
    "billing.services.payments.see_payment",
    "billing.services.payments.add_grant",
    "billing.services.payments.keep_payment",
    "billing.services.payments.charge_by_default",
)
AUTO = (
    "billing.services.auto_top_ups.new_order",
    "billing.services.charging.claim",
    "billing.services.charging.charge_card",
    "billing.services.charging.settle_payment",
    "billing.services.payments.keep_payment",
)
DECLINED = (
    "billing.services.charging.charge_card",
    "billing.services.charging.go_by",
    "billing.services.charging.note_decline",
    "billing.services.charging.charge_again",
)
ASKED = (
    "billing.services.charging.give_to_customer",
    "billing.services.charging.cancel_payment",
    "billing.services.charging.ask_customer",
    "billing.services.charging.open_session",
    "billing.services.charging.keep_session",
)
REFUND = (
    "billing.services.reversals.take_back_credits",
    "billing.services.reversals._keep",
    "billing.services.payments.undo_and_redo",
    "billing.services.payments.keep_payment",
)


class Died(BaseException):
    """The process was killed here. No `except Exception` can have caught it."""


class Undertaker:
    """Kills processes: the next call of a step is its process's last."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    @contextmanager
    def waits(self, step: str, when: str) -> Iterator[None]:
        """Whoever comes to the step inside dies ``before`` it or ``after`` it; somebody must come."""
        module, _, name = step.rpartition(".")
        real = getattr(__import__(module, fromlist=[name]), name)
        deaths = iter([True])

        def once(*args: Any, **options: Any) -> Any:
            dying = next(deaths, False)
            if dying and when == "before":
                raise Died
            result = real(*args, **options)
            if dying:
                raise Died
            return result

        with self._monkeypatch.context() as patched:
            patched.setattr(step, once)
            yield
        assert next(deaths, False) is False, f"nobody came to {step}"


@pytest.fixture
def undertaker(monkeypatch: pytest.MonkeyPatch) -> Undertaker:
    return Undertaker(monkeypatch)


def survives(action: Callable[[], object]) -> None:
    """Do it; a death ends only this."""
    with suppress(Died):
        action()


def cases(steps: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Who dies where, and when."""
    for step in steps:
        for when in ("before", "after"):
            yield f"{when}-{step.rpartition('.')[2].strip('_').replace('_', '-')}", step, when


def work(shop: Shop) -> None:
    place_due_orders(shop.now)
    charge_due_orders(shop.now)


def time_passes(shop: Shop, *, minutes: int = 20, times: int = 3) -> None:
    """The workers and the sweep of some time, with every webhook lost that was not brought yet."""
    for _ in range(times):
        shop.now += timedelta(minutes=minutes)
        work(shop)
        list(sweep(shop.now, repair=True))
        process_due_events(shop.now)


def outcome(buyers: list[Buyer], key: str = "order-1") -> dict[str, tuple[str, float]]:
    orders = {order.customer_id: order for order in TopUpOrder.objects.filter(origin="checkout", key=key)}
    return {buyer.key: (orders[buyer.row.pk].state, float(buyer.available)) for buyer in buyers}


def test_dying_while_ordering(shop: Shop, undertaker: Undertaker) -> None:
    buyers = []
    for name, step, when in cases(CHECKOUT):
        buyers.append(shop.buyer(name))
        with undertaker.waits(step, when):
            survives(buyers[-1].orders)
        buyers[-1].buys()
    time_passes(shop, times=1)
    assert outcome(buyers) == {buyer.key: ("paid", 100.0) for buyer in buyers}
    assert len(shop.stripe.objects("checkout.session")) == len(buyers)
    assert len(shop.stripe.objects("customer")) == len(buyers)
    shop.assert_proven()


def test_dying_while_a_payment_is_granted(shop: Shop, undertaker: Undertaker) -> None:
    buyers = []
    for name, step, when in cases(PAYMENT):
        buyers.append(shop.buyer(name))
        buyers[-1].buys("big")
        with undertaker.waits(step, when):
            for letter in shop.letters():
                survives(lambda: shop.post(letter))  # noqa: B023
            survives(lambda: process_due_events(shop.now))
    time_passes(shop, times=2)
    assert outcome(buyers) == {buyer.key: ("paid", 1050.0) for buyer in buyers}
    assert StripeCustomer.objects.exclude(default_payment_method="").count() == len(buyers)
    shop.assert_proven()


def spender(shop: Shop, name: str, card: str = "pm_card_visa") -> Buyer:
    """Has a card, 40 of 100 credits left, and wants never to have less than 50."""
    buyer = shop.buyer(name)
    buyer.buys(key="first")
    shop.deliver()
    behaves(shop, buyer, card)
    set_auto_top_up(name, AutoTopUpTerms(threshold_microcredits=50 * CREDIT, pack="small"), shop.now)
    buyer.spends(60, key="below")
    return buyer


def behaves(shop: Shop, buyer: Buyer, card: str) -> None:
    saved = StripeCustomer.objects.get(customer=buyer.row).default_payment_method
    shop.stripe.control("POST", f"/sandbox/payment_methods/{saved}", behaves_like=card)


def topped_up(buyers: list[Buyer]) -> dict[str, tuple[list[str], float]]:
    states: dict[int, list[str]] = {}
    for order in TopUpOrder.objects.filter(origin="auto"):
        states.setdefault(order.customer_id, []).append(order.state)
    return {buyer.key: (states.get(buyer.row.pk, []), float(buyer.available)) for buyer in buyers}


def test_dying_while_topping_up_by_itself(shop: Shop, undertaker: Undertaker) -> None:
    buyers = []
    for name, step, when in cases(AUTO):
        buyers.append(spender(shop, name))
        with undertaker.waits(step, when):
            survives(lambda: work(shop))
    time_passes(shop)
    assert topped_up(buyers) == {buyer.key: (["paid"], 140.0) for buyer in buyers}
    assert shop.stripe.totals()["usd"]["charges"] == 2 * len(buyers)
    shop.assert_proven()


def test_dying_while_a_card_is_declined(shop: Shop, undertaker: Undertaker) -> None:
    buyers = []
    for name, step, when in cases(DECLINED):
        buyers.append(spender(shop, name, "pm_card_chargeCustomerFail"))
        with undertaker.waits(step, when):
            survives(lambda: work(shop))
            shop.now += timedelta(minutes=20)
            survives(lambda: work(shop))
    for buyer in buyers:
        behaves(shop, buyer, "pm_card_visa")
    time_passes(shop, minutes=60 * 13)
    assert topped_up(buyers) == {buyer.key: (["paid"], 140.0) for buyer in buyers}
    assert shop.stripe.totals()["usd"]["charges"] == 2 * len(buyers)
    assert len(shop.stripe.objects("payment_intent")) == 2 * len(buyers)
    shop.assert_proven()


def test_dying_while_the_customer_is_asked(shop: Shop, undertaker: Undertaker) -> None:
    buyers = []
    for name, step, when in cases(ASKED):
        buyers.append(spender(shop, name, "pm_card_authenticationRequired"))
        with undertaker.waits(step, when):
            survives(lambda: work(shop))
    time_passes(shop)
    assert topped_up(buyers) == {buyer.key: (["needs_action"], 40.0) for buyer in buyers}
    for order in TopUpOrder.objects.filter(origin="auto"):
        shop.stripe.pay(str(order.checkout_session_id), "pm_card_visa")
    time_passes(shop, times=1)
    assert topped_up(buyers) == {buyer.key: (["paid"], 140.0) for buyer in buyers}
    statuses = [each["status"] for each in shop.stripe.objects("payment_intent")]
    assert {status: statuses.count(status) for status in statuses} == {
        "canceled": len(buyers),
        "succeeded": 2 * len(buyers),
    }
    shop.assert_proven()


def test_dying_while_a_refund_is_followed(shop: Shop, undertaker: Undertaker) -> None:
    buyers = []
    for name, step, when in cases(REFUND):
        buyers.append(shop.buyer(name))
        buyers[-1].buys("big")
        shop.deliver()
        buyers[-1].spends(500, key="spent")
        payment = str(buyers[-1].order().payment_intent_id)
        client().v1.refunds.create({"payment_intent": payment, "amount": 2000})
        for letter in shop.letters():
            shop.post(letter)
        with undertaker.waits(step, when):
            survives(lambda: process_due_events(shop.now))
    time_passes(shop, times=1)
    left = 1050 - 500 - 250 - 12.5
    assert outcome(buyers) == {buyer.key: ("paid", left) for buyer in buyers}
    shop.assert_proven()


def test_a_day_without_an_answer(shop: Shop) -> None:
    """Stripe forgets idempotency keys after 24 hours: what was charged before is looked for, not asked for again."""
    buyer = spender(shop, "acme")
    shop.stripe.fails("drop_after", "/v1/payment_intents", method="POST")
    shop.stripe.fails("drop_before", times=-1)
    work(shop)
    shop.stripe.control("DELETE", "/sandbox/faults")
    shop.stripe.later(days=2)
    shop.now = datetime.fromisoformat("2026-11-17T12:00:00Z")
    work(shop)
    assert buyer.available == 140
    assert shop.stripe.totals()["usd"]["charges"] == 2
    shop.assert_proven()
