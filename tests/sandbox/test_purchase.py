"""Somebody buys a pack of credits at a checkout."""

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.process import Refused, SandboxProcess
from tests.sandbox.shop import a_checkout, a_customer

if TYPE_CHECKING:
    from stripe import StripeClient


def test_a_paid_checkout_tells_who_paid_what(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    customer = a_customer(stripe)
    session = a_checkout(stripe, customer=customer.id)
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)

    sandbox.pay(session.id)

    paid = stripe.v1.checkout.sessions.retrieve(
        session.id,
        {"expand": ["payment_intent.latest_charge.balance_transaction", "invoice.payments", "line_items"]},
    )
    intent, invoice = paid.payment_intent, paid.invoice
    assert (paid.status, paid.payment_status, paid.url, paid.customer) == ("complete", "paid", None, customer.id)
    assert (intent.status, intent.amount_received, intent.metadata["order"]) == ("succeeded", 2000, "order_1")
    assert intent.latest_charge.balance_transaction.fee == 88  # 2.9 % + 30 cents
    assert (invoice.status, invoice.total, invoice.billing_reason) == ("paid", 2000, "manual")
    assert invoice.payments.data[0].payment.payment_intent == intent.id
    assert paid.line_items.data[0].description == "1,000 credits"
    assert sandbox.totals() == {
        "usd": {"charges": 1, "charged": 2000, "refunded": 0, "disputed": 0, "fees": 88, "net": 1912}
    }


def test_the_card_of_a_purchase_is_kept_for_later(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    session = a_checkout(stripe)
    sandbox.pay(session.id, email="ada@example.com")

    paid = stripe.v1.checkout.sessions.retrieve(session.id)
    cards = stripe.v1.customers.payment_methods.list(str(paid.customer))
    later = stripe.v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "usd",
            "customer": str(paid.customer),
            "payment_method": cards.data[0].id,
            "off_session": True,
            "confirm": True,
        }
    )
    assert later.status == "succeeded"
    assert stripe.v1.customers.retrieve(str(paid.customer)).email == "ada@example.com"


def test_a_declined_checkout_stays_open_and_can_still_be_paid(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    session = a_checkout(stripe)

    first = sandbox.pay(session.id, "pm_card_visa_chargeDeclined")
    assert (first["declined"], first["session"]["status"]) == ("card_declined", "open")
    second = sandbox.pay(session.id)

    assert (second["declined"], second["session"]["payment_status"]) == (None, "paid")
    assert sandbox.totals()["usd"]["charged"] == 2000
    assert len(sandbox.objects("payment_intent")) == 1
    assert sorted(charge["status"] for charge in sandbox.objects("charge")) == ["failed", "succeeded"]


@pytest.mark.parametrize(("answer", "status", "charged"), [("succeeds", "complete", 2000), ("fails", "open", 0)])
def test_a_bank_may_ask_the_customer_first(
    sandbox: SandboxProcess, stripe: "StripeClient", answer: str, status: str, charged: int
) -> None:
    session = a_checkout(stripe)

    waiting = sandbox.pay(session.id, "pm_card_authenticationRequired")
    intent = stripe.v1.payment_intents.retrieve(waiting["session"]["payment_intent"])
    assert (intent.status, waiting["session"]["status"]) == ("requires_action", "open")
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    assert "/authenticate/" in str(intent.next_action.redirect_to_url.url)
    sandbox.control("POST", f"/sandbox/authenticate/{intent.id}", succeeds=answer == "succeeds")

    assert stripe.v1.checkout.sessions.retrieve(session.id).status == status
    assert sandbox.totals().get("usd", {"charged": 0})["charged"] == charged


def test_a_checkout_is_paid_once(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    session = a_checkout(stripe)
    sandbox.pay(session.id)

    with pytest.raises(Refused):
        sandbox.pay(session.id)
    assert sandbox.totals()["usd"]["charges"] == 1


def test_a_bank_debit_completes_the_checkout_days_before_the_money_comes(
    sandbox: SandboxProcess, stripe: "StripeClient"
) -> None:
    good = a_checkout(stripe, payment_method_types=["us_bank_account"])
    bad = a_checkout(stripe, payment_method_types=["us_bank_account"])
    sandbox.pay(good.id, "pm_usBankAccount_success")
    sandbox.pay(bad.id, "pm_usBankAccount_accountClosed")

    early = stripe.v1.checkout.sessions.retrieve(good.id)
    assert (early.status, early.payment_status) == ("complete", "unpaid")
    assert sandbox.totals() == {}
    sandbox.later(days=5)

    assert stripe.v1.checkout.sessions.retrieve(good.id).payment_status == "paid"
    assert stripe.v1.checkout.sessions.retrieve(bad.id).payment_status == "unpaid"
    told = [event.type for event in stripe.v1.events.list({"types": ["checkout.session.*"]})]
    assert sorted(told) == [
        "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
        "checkout.session.completed",
    ]
    assert sandbox.totals()["usd"]["charged"] == 2000


def test_an_unpaid_checkout_expires(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    session = a_checkout(stripe)
    sandbox.later(seconds=24 * 3600)

    assert stripe.v1.checkout.sessions.retrieve(session.id).status == "expired"
    with pytest.raises(Refused):
        sandbox.pay(session.id)


def test_a_card_can_be_kept_without_paying(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    customer = a_customer(stripe)
    session = stripe.v1.checkout.sessions.create(
        {"mode": "setup", "customer": customer.id, "currency": "usd", "success_url": "https://shop.example/"}
    )
    sandbox.pay(session.id, "pm_card_authenticationRequiredOnSetup", authentication="succeeds")

    kept = stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert (kept.status, kept.payment_status, kept.setup_intent.status) == (
        "complete",
        "no_payment_required",
        "succeeded",
    )
    later = stripe.v1.payment_intents.create(
        {
            "amount": 900,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": kept.setup_intent.payment_method,
            "off_session": True,
            "confirm": True,
        }
    )
    assert later.status == "succeeded"  # the bank was asked once, when the card was kept


def test_tax_comes_on_top_where_it_is_asked_for(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    sandbox.control("POST", "/sandbox/settings", tax_percent=20)
    session = a_checkout(stripe, automatic_tax={"enabled": True})
    sandbox.pay(session.id)

    paid = stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["invoice"]})
    assert paid.total_details is not None
    assert (paid.amount_subtotal, paid.amount_total, paid.total_details.amount_tax) == (2000, 2400, 400)
    assert (paid.invoice.total_excluding_tax, paid.invoice.total, paid.invoice.total_taxes[0].amount) == (
        2000,
        2400,
        400,
    )
    assert sandbox.totals()["usd"]["charged"] == 2400
