"""A pack is bought once, paid once and granted once, whatever happens to the messages about it."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from moneyed import Money

from billing.convergence.inbox import process_due_events
from billing.models import Payment, StripeCustomer, StripeEvent, TopUpOrder
from billing.services.offers import CustomAmountNotSold, PackUnknown
from billing.services.top_ups import TopUpRefused
from billing.stripe.errors import PaymentsUnavailable
from entitlements.models import CreditGrant, OutboxMessage
from kernel.errors import InvalidInput, KeyReused
from tests.billing.cast import Shop
from tests.world import CREDIT

pytestmark = pytest.mark.django_db


def test_a_pack_is_paid_and_its_credits_are_there(shop: Shop) -> None:
    acme = shop.buyer()
    order = acme.buys("big")
    assert (order.state, acme.available) == ("open", 0)
    shop.deliver()

    order = acme.order()
    assert (order.state, order.paid, order.tax) == ("paid", Money(80, "USD"), Money(0, "USD"))
    assert acme.available == 1050
    bonus, paid = CreditGrant.objects.filter(customer_id=acme.row.pk).order_by("priority")
    assert (paid.source, paid.amount_microcredits, paid.paid) == ("top_up", 1000 * CREDIT, Money(80, "USD"))
    assert (bonus.source, bonus.amount_microcredits, bonus.paid) == ("promo", 50 * CREDIT, Money(0, "USD"))
    assert paid.expires_at == bonus.expires_at == shop.now + timedelta(days=365)
    assert paid.key == f"payment_intent:{order.payment_intent_id}"
    assert order.receipt_url.startswith("http")
    assert order.invoice_url.startswith("http")
    (told,) = OutboxMessage.objects.filter(kind="top_up.succeeded")
    assert told.payload["credits"] == "1050"
    shop.assert_proven()


def test_the_same_key_is_the_same_order_and_page(shop: Shop) -> None:
    acme = shop.buyer()
    first, again = acme.orders(), acme.orders()
    assert (first.pk, first.url) == (again.pk, again.url)
    assert len(shop.stripe.objects("checkout.session")) == 1
    with pytest.raises(KeyReused):
        acme.orders("big")


def test_two_keys_are_two_orders_of_one_stripe_customer(shop: Shop) -> None:
    acme = shop.buyer()
    acme.buys(key="one")
    acme.buys(key="two")
    shop.deliver()
    assert acme.available == 200
    assert len(shop.stripe.objects("customer")) == 1


def test_what_never_came_back_is_asked_again_and_made_once(shop: Shop) -> None:
    acme = shop.buyer()
    shop.stripe.fails("drop_after", "/v1/checkout/sessions")
    shop.stripe.fails("drop_before", "/v1/checkout/sessions", times=2)  # the SDK tries three times
    with pytest.raises(PaymentsUnavailable):
        acme.orders()
    order = acme.orders()
    assert order.url
    assert len(shop.stripe.objects("checkout.session")) == 1


def test_events_in_any_order_and_number_grant_once(shop: Shop) -> None:
    buyers = [shop.buyer(f"buyer-{number}") for number in range(4)]
    for buyer in buyers:
        buyer.buys("big")
    letters = shop.letters() * 3
    random.Random(7).shuffle(letters)
    shop.deliver(letters)
    assert [buyer.available for buyer in buyers] == [1050] * 4
    assert StripeEvent.objects.filter(processed_at=None).count() == 0
    shop.assert_proven()


def test_an_event_read_late_or_again_changes_nothing(shop: Shop) -> None:
    acme = shop.buyer()
    acme.buys()
    letters = shop.letters()
    shop.deliver(letters)
    shop.deliver(letters)
    StripeEvent.objects.update(processed_at=None, next_try_at=shop.now)
    assert process_due_events(shop.now) > 0
    assert acme.available == 100
    assert Payment.objects.count() == 1


def test_a_page_nobody_pays_expires(shop: Shop) -> None:
    acme = shop.buyer()
    acme.orders()
    shop.stripe.later(days=2)
    shop.deliver()
    assert acme.order().state == "expired"
    assert acme.available == 0


def test_a_decline_leaves_the_page_open_for_another_card(shop: Shop) -> None:
    acme = shop.buyer()
    order = acme.buys(card="pm_card_visa_chargeDeclined")
    shop.deliver()
    assert acme.order().state == "open"
    shop.stripe.pay(str(order.checkout_session_id))
    shop.deliver()
    assert (acme.order().state, acme.available) == ("paid", 100)
    shop.assert_proven()


def test_money_that_comes_days_later_is_granted_when_it_comes(shop: Shop) -> None:
    acme = shop.buyer()
    acme.buys(card="pm_usBankAccount_success")
    shop.deliver()
    assert (acme.order().state, acme.available) == ("open", 0)
    shop.stripe.later(days=5)
    shop.deliver()
    assert (acme.order().state, acme.available) == ("paid", 100)


def test_money_that_comes_after_the_order_was_given_up_is_still_granted(shop: Shop) -> None:
    acme = shop.buyer()
    order = acme.buys()
    TopUpOrder.objects.filter(pk=order.pk).update(state="expired", closed_at=shop.now)
    shop.deliver()
    assert (acme.order().state, acme.available) == ("paid", 100)


def test_tax_is_no_revenue(shop: Shop, settings: object) -> None:
    settings.STRIPE_AUTOMATIC_TAX = True  # type: ignore[attr-defined]
    shop.stripe.control("POST", "/sandbox/settings", tax_percent=20)
    acme = shop.buyer()
    acme.buys()
    shop.deliver()
    order = acme.order()
    assert (order.paid, order.tax) == (Money(10, "USD"), Money(2, "USD"))
    assert CreditGrant.objects.get(customer_id=acme.row.pk).paid == Money(10, "USD")
    assert Payment.objects.get().received == Money(12, "USD")


@pytest.mark.parametrize(
    ("currency", "price", "minor"), [("JPY", "1500", 1500), ("KWD", "3.070", 3070), ("USD", "10.01", 1001)]
)
def test_each_currency_to_its_minor_unit(shop: Shop, currency: str, price: str, minor: int) -> None:
    shop.pack("local", price, credits=70, currency=currency)
    acme = shop.buyer(currency=currency)
    acme.buys("local")
    shop.deliver()
    assert acme.order().paid == Money(price, currency)
    assert shop.stripe.totals()[currency.lower()]["charged"] == minor
    shop.assert_proven()


def test_a_custom_amount_goes_by_the_best_packs_price(shop: Shop) -> None:
    acme = shop.buyer()
    cheap = acme.buys(key="few", pack=None, microcredits=33_333_333)
    dear = acme.buys(key="many", pack=None, microcredits=1_500 * CREDIT)
    assert cheap.amount == Money("3.34", "USD")  # at 0.10 a credit, rounded up to the cent
    assert dear.amount == Money("120.00", "USD")  # at the big pack's 0.08
    shop.deliver()
    assert acme.available == Decimal("1533.333333")


def test_what_is_not_for_sale_is_refused(shop: Shop) -> None:
    acme, emir = shop.buyer(), shop.buyer("emir", "KWD")
    with pytest.raises(PackUnknown):
        acme.orders("unheard-of")
    with pytest.raises(InvalidInput, match="is sold in USD"):
        emir.orders("small")
    with pytest.raises(CustomAmountNotSold):
        emir.orders(None, microcredits=CREDIT)  # type: ignore[arg-type]
    with pytest.raises(TopUpRefused, match="at least"):
        acme.orders(None, microcredits=CREDIT)  # type: ignore[arg-type]
    assert acme.order().state == "failed"
    assert shop.stripe.objects("checkout.session") == []


def test_the_card_is_kept_and_becomes_the_default(shop: Shop) -> None:
    acme = shop.buyer()
    acme.buys()
    shop.deliver()
    row = StripeCustomer.objects.get()
    assert row.default_payment_method.startswith("pm_")
    (seen,) = shop.stripe.objects("customer")
    assert seen["invoice_settings"]["default_payment_method"] == row.default_payment_method


def test_a_customer_deleted_at_stripe_buys_again_as_another(shop: Shop) -> None:
    acme = shop.buyer()
    acme.buys(key="before")
    shop.deliver()
    row = StripeCustomer.objects.get()
    first = row.stripe_id
    delete_customer(shop, str(first))
    again = acme.buys(key="unheard")  # before we heard of it
    shop.deliver()
    assert (acme.available, again.stripe_customer != first) == (200, True)
    row.refresh_from_db()
    assert (row.stripe_id, row.deleted_at) == (again.stripe_customer, None)

    delete_customer(shop, str(row.stripe_id))
    shop.deliver()
    row.refresh_from_db()
    assert (row.deleted_at, row.default_payment_method) == (shop.now, "")
    acme.buys(key="after")
    shop.deliver()
    assert acme.available == 300
    shop.assert_proven()


def delete_customer(shop: Shop, stripe_id: str) -> None:
    from billing.stripe.client import client

    client().v1.customers.delete(stripe_id)
