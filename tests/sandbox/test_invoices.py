"""Invoices written by hand: overage, its lines, its payment, its undoing."""

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.process import SandboxProcess
from tests.sandbox.shop import a_customer

if TYPE_CHECKING:
    from stripe import Customer, Invoice, StripeClient


def test_overage_is_itemised_and_charged(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    customer = a_customer(stripe, "pm_card_visa")
    draft = _draft(stripe, customer, 1250, 730)
    assert (draft.status, draft.number, draft.total) == ("draft", None, 1980)

    open_ = stripe.v1.invoices.finalize_invoice(str(draft.id))
    assert (open_.status, open_.amount_due) == ("open", 1980)
    assert str(open_.number).endswith("-0001")
    paid = stripe.v1.invoices.pay(str(draft.id))

    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 1980, 0)
    assert sandbox.totals(customer.id)["usd"]["charged"] == 1980
    payments = stripe.v1.invoice_payments.list({"invoice": str(draft.id)}).data
    intent = str(payments[0].payment.payment_intent)
    found = stripe.v1.invoice_payments.list({"payment": {"type": "payment_intent", "payment_intent": intent}})
    assert [payment.invoice for payment in found.data] == [draft.id]


def test_it_advances_by_itself_after_an_hour(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    draft = _draft(stripe, a_customer(stripe, "pm_card_visa"), 900, auto_advance=True)
    assert stripe.v1.invoices.retrieve(str(draft.id)).status == "draft"

    sandbox.later(seconds=3600)

    assert stripe.v1.invoices.retrieve(str(draft.id)).status == "paid"


def test_finalised_with_auto_advance_it_is_charged_at_once(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    draft = _draft(stripe, a_customer(stripe, "pm_card_visa"), 900)

    answered = stripe.v1.invoices.finalize_invoice(str(draft.id), {"auto_advance": True})

    assert answered.status == "open"
    assert stripe.v1.invoices.retrieve(str(draft.id)).status == "paid"


def test_too_little_to_charge_is_carried_to_the_next_invoice(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    """The trap for small overage: the invoice is paid, and nothing was charged."""
    customer = a_customer(stripe, "pm_card_visa")
    small = stripe.v1.invoices.finalize_invoice(str(_draft(stripe, customer, 30).id))
    assert (small.status, small.amount_due, small.ending_balance) == ("paid", 0, 30)
    assert sandbox.totals() == {}

    following = stripe.v1.invoices.pay(str(_draft(stripe, customer, 100).id))

    assert (following.starting_balance, following.amount_paid) == (30, 130)
    assert stripe.v1.customers.retrieve(customer.id).balance == 0


def test_a_decline_leaves_it_open(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    draft = _draft(stripe, a_customer(stripe, "pm_card_chargeCustomerFail"), 900)
    with pytest.raises(sdk.CardError):
        stripe.v1.invoices.pay(str(draft.id))

    kept = stripe.v1.invoices.retrieve(str(draft.id))
    assert (kept.status, kept.attempt_count, kept.attempted) == ("open", 1, True)
    assert stripe.v1.invoices.pay(str(draft.id), {"payment_method": "pm_card_visa"}).status == "paid"


def test_paid_elsewhere_moves_no_money_here(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    draft = _draft(stripe, a_customer(stripe), 900)
    stripe.v1.invoices.finalize_invoice(str(draft.id))

    paid = stripe.v1.invoices.pay(str(draft.id), {"paid_out_of_band": True})

    assert (paid.status, sandbox.totals()) == ("paid", {})
    assert [intent["status"] for intent in sandbox.objects("payment_intent")] == ["canceled"]


def test_a_void_invoice_cannot_be_paid(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    draft = _draft(stripe, a_customer(stripe, "pm_card_visa"), 900)
    stripe.v1.invoices.finalize_invoice(str(draft.id))
    assert stripe.v1.invoices.void_invoice(str(draft.id)).status == "void"

    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.invoices.pay(str(draft.id))
    assert sandbox.totals() == {}


def test_what_will_never_be_paid_is_written_off(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    draft = _draft(stripe, a_customer(stripe, "pm_card_chargeCustomerFail"), 900)
    stripe.v1.invoices.finalize_invoice(str(draft.id))

    assert stripe.v1.invoices.mark_uncollectible(str(draft.id)).status == "uncollectible"
    sandbox.later(days=60)

    assert stripe.v1.invoices.retrieve(str(draft.id)).attempt_count == 0
    assert [one.id for one in stripe.v1.invoices.list({"status": "uncollectible"}).data] == [draft.id]


def test_what_waits_goes_on_a_manual_invoice_only_when_asked(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    customer = a_customer(stripe, "pm_card_visa")
    waiting = stripe.v1.invoice_items.create({"customer": customer.id, "amount": 500, "currency": "usd"})
    without = stripe.v1.invoices.create({"customer": customer.id})
    assert without.total == 0
    assert [item.id for item in stripe.v1.invoice_items.list({"pending": True}).data] == [waiting.id]

    taken = stripe.v1.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})

    assert taken.total == 500
    assert stripe.v1.invoice_items.list({"pending": True}).data == []


def test_a_deleted_draft_lets_its_items_wait_again(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    draft = _draft(stripe, a_customer(stripe, "pm_card_visa"), 900)

    stripe.v1.invoices.delete(str(draft.id))

    assert [item.amount for item in stripe.v1.invoice_items.list({"pending": True}).data] == [900]


def test_quantities_and_fractions_of_a_cent_are_rounded_once_per_line(
    sandbox: SandboxProcess, stripe: "StripeClient"
) -> None:
    customer = a_customer(stripe, "pm_card_visa")
    draft = stripe.v1.invoices.create({"customer": customer.id})
    item = stripe.v1.invoice_items.create(
        {
            "customer": customer.id,
            "invoice": str(draft.id),
            "currency": "usd",
            "unit_amount_decimal": "0.0375",
            "quantity": 33333,
            "description": "Overage, per credit",
        }
    )
    assert item.amount == 1250  # 1249.9875


def _draft(stripe: "StripeClient", customer: "Customer", *amounts: int, auto_advance: bool = False) -> "Invoice":
    draft = stripe.v1.invoices.create({"customer": customer.id, "currency": "usd", "auto_advance": auto_advance})
    for amount in amounts:
        stripe.v1.invoice_items.create(
            {"customer": customer.id, "invoice": str(draft.id), "amount": amount, "currency": "usd"}
        )
    return stripe.v1.invoices.retrieve(str(draft.id))
