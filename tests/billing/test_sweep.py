"""What no webhook told us, the sweep finds, says and puts right."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from billing.convergence.sweep import sweep
from billing.models import Reversal, StripeEvent
from billing.stripe.client import client
from tests.billing.cast import Shop

pytestmark = pytest.mark.django_db


def reconcile(*arguments: str) -> tuple[int, str]:
    said = StringIO()
    try:
        call_command("reconcile_stripe", *arguments, stdout=said)
    except SystemExit as end:
        return int(str(end.code)), said.getvalue()
    return 0, said.getvalue()


@pytest.fixture(autouse=True)
def _at_the_shops_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.management.commands.reconcile_stripe.utc_now", lambda: shop.now)


def test_every_event_of_a_purchase_dropped(shop: Shop) -> None:
    acme = shop.buyer()
    acme.buys()
    code, said = reconcile("--check")
    assert (code, acme.available) == (1, 0)
    assert "NOT IN LINE: no webhook came for payment_intent.succeeded" in said

    code, said = reconcile()
    assert (code, acme.available, acme.order().state) == (0, 100, "paid")
    assert "repaired: no webhook came for checkout.session.completed" in said
    assert set(StripeEvent.objects.values_list("swept", flat=True)) == {True}
    assert "customer.updated" in reconcile()[1]  # what keeping the card did, of which we were not told either
    assert reconcile() == (0, "all in line\n")
    shop.assert_proven()


def test_refunds_and_disputes_nobody_told_us_of(shop: Shop) -> None:
    acme = shop.buyer()
    acme.buys()
    shop.deliver()
    client().v1.refunds.create({"payment_intent": str(acme.order().payment_intent_id), "amount": 250})
    assert reconcile()[0] == 0
    assert (Reversal.objects.count(), acme.available) == (1, 75)
    shop.assert_proven()


def test_events_stripe_has_forgotten_are_found_by_the_objects(shop: Shop) -> None:
    acme = shop.buyer()
    acme.buys()
    shop.deliver()
    list(sweep(shop.now, repair=True))
    acme.buys(key="unheard")
    client().v1.refunds.create({"payment_intent": str(acme.order().payment_intent_id), "amount": 250})
    shop.stripe.later(days=40)
    shop.now += timedelta(days=40)
    code, said = reconcile("--check", "--days", "60")
    assert code == 1
    assert "was not granted" in said
    assert "has a refund that was not followed" in said
    assert reconcile("--days", "60")[0] == 0
    assert acme.available == 175
    assert reconcile("--days", "60") == (0, "all in line\n")
    shop.assert_proven()


def test_an_open_order_is_looked_at_though_its_events_are_gone(shop: Shop) -> None:
    acme = shop.buyer()
    acme.buys()
    list(sweep(shop.now, repair=False))
    shop.stripe.later(days=40)
    shop.now += timedelta(days=40)
    assert "was not granted" in reconcile()[1]
    assert (acme.order().state, acme.available) == ("paid", 100)


def test_a_page_that_expired_unheard_closes_its_order(shop: Shop) -> None:
    acme = shop.buyer()
    acme.orders()
    shop.stripe.later(days=40)
    shop.now += timedelta(days=40)
    assert "expired" in reconcile()[1]
    assert acme.order().state == "expired"


def test_without_stripe_it_says_so(shop: Shop) -> None:
    from django.core.management.base import CommandError

    shop.stripe.fails("drop_before", "/v1/events", times=3)
    with pytest.raises(CommandError):
        reconcile()


def test_one_object_that_fails_does_not_hold_up_others_and_is_tried_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from billing.convergence import inbox
    from billing.services import payments

    ada, bob = shop.buyer("ada"), shop.buyer("bob")
    ada.buys()
    bob.buys()
    keep = payments.keep_payment

    def breaks_for_ada(order: object, *rest: object) -> object:
        if order == ada.order():
            raise RuntimeError("a bug")
        return keep(order, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(payments, "keep_payment", breaks_for_ada)
        for letter in shop.letters():
            assert shop.post(letter) == 200
        inbox.process_due_events(shop.now)
    assert (ada.available, bob.available) == (0, 100)
    failed = StripeEvent.objects.exclude(error="")
    assert {event.error for event in failed} == {"RuntimeError: a bug"}
    assert "NOT IN LINE" in reconcile()[1]
    inbox.process_due_events(shop.now + timedelta(minutes=1))
    assert ada.available == 100
    assert not StripeEvent.objects.exclude(error="").exists()
