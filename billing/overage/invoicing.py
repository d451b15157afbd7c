"""Putting overage on invoices, each item on one, whatever breaks on the way.

An item is first marked as being sent, with where to; then Stripe is asked, with a key of the item's own; then what came
of it is noted. Found half-way, it is looked for at Stripe before it is sent again: keys are forgotten after a day.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db import transaction

from billing.convergence.locks import one_at_a_time
from billing.invoices.mirror import converge_invoice
from billing.models import OverageItem, StripeCustomer
from billing.stripe import invoices
from billing.stripe.errors import Gone, Invalid, StripeError
from billing.subscriptions.mirror import live
from entitlements.models import Customer
from kernel.units import format_credits

log = structlog.get_logger("weir.stripe")

State = OverageItem.State

PATIENCE: Final = timedelta(hours=1)
"""How long the end of a period waits for Stripe's draft of the renewal, to stand on it. Stripe makes it at once."""


def invoice_all(now: datetime) -> int:
    """Put on invoices what waits, of every customer that Stripe knows. Returns how many items were invoiced."""
    linked = StripeCustomer.objects.exclude(stripe_id=None).filter(deleted_at=None)
    waiting = OverageItem.objects.filter(
        state__in=(State.WAITING, State.SENDING), customer__in=linked.values("customer")
    )
    invoiced = 0
    for customer in Customer.objects.filter(pk__in=waiting.values("customer")).order_by("pk"):
        try:
            invoiced += invoice_customer(customer, now)
        except StripeError as error:
            log.warning("overage_not_invoiced", customer=customer.key, exc_info=error)
    return invoiced


def invoice_customer(customer: Customer, now: datetime) -> int:
    """Invoice what waits of one customer, and what was left half-way. Returns how many items. Raises StripeError."""
    with one_at_a_time(f"overage:{customer.pk}"):
        invoiced = 0
        if half_way := _items(customer, State.SENDING):
            invoiced += _send(half_way, now, resumed=True)
        waiting = [item for item in _items(customer, State.WAITING) if not item.next_try_at or item.next_try_at <= now]
        if waiting:
            onto = _where(customer, waiting, now)
            if onto == "" and not _can_be_asked(customer):
                _put_off(waiting, "there is no card to charge, and no e-mail address to send an invoice to", now)
            elif onto is not None:
                invoiced += _send(_started(waiting, onto), now, resumed=False)
        return invoiced


def _items(customer: Customer, state: str) -> list[OverageItem]:
    return list(OverageItem.objects.filter(customer=customer, state=state).order_by("seq"))


def _where(customer: Customer, waiting: Sequence[OverageItem], now: datetime) -> str | None:
    """The renewal's draft; "" for an invoice of its own; None to wait for the draft, which is about to come."""
    row = live(customer)
    if row is None or row.status == "unpaid":
        return ""
    draft = invoices.open_renewal(row.pk)
    if draft is not None:
        return draft.id
    # Where Stripe has renewed, as far as we know, the draft is not missing but closed.
    renews = max(item.billed_at for item in waiting) >= row.period_end
    return None if renews and now < row.period_end + PATIENCE else ""


@transaction.atomic
def _started(waiting: Sequence[OverageItem], onto: str) -> list[OverageItem]:
    payer = StripeCustomer.objects.get(customer_id=waiting[0].customer_id)
    for item in waiting:
        item.state, item.batch, item.onto = State.SENDING, waiting[0].seq, onto
        item.stripe_customer = str(payer.stripe_id)
        item.save(update_fields=["state", "batch", "onto", "stripe_customer"])
    return list(waiting)


def _send(items: Sequence[OverageItem], now: datetime, *, resumed: bool) -> int:
    """Bring a batch to Stripe. A draft that closed meanwhile is given up for an invoice of the batch's own."""
    try:
        return _put_on_renewal(items, now) if items[0].onto else _put_on_its_own(items, now, resumed=resumed)
    except (Invalid, Gone) as error:
        left = [item for item in items if item.state == State.SENDING and not item.item_id]
        if not left:
            raise
        was_renewal = left[0].onto
        _put_off(left, str(error), now)
        if was_renewal and _can_be_asked(left[0].customer):
            return _send(_started(left, ""), now, resumed=False)
        raise


def _put_off(items: Sequence[OverageItem], why: str, now: datetime) -> None:
    """Nothing of these is at Stripe: they wait, and are tried again after a while."""
    for item in items:
        item.state, item.batch, item.onto = State.WAITING, None, ""
        item.error, item.next_try_at = why, now + PATIENCE
        item.save(update_fields=["state", "batch", "onto", "error", "next_try_at"])


def _put_on_renewal(items: Sequence[OverageItem], now: datetime) -> int:
    invoice_id = items[0].onto
    there = invoices.items_on(invoice_id)
    for item in items:
        called = _called(item)
        found = there.get(called) or _add(item, invoice_id, key=f"overage:{called}:{invoice_id}")
        _invoiced(item, invoice_id, found, now)
    converge_invoice(invoice_id, now)
    return len(items)


def _put_on_its_own(items: Sequence[OverageItem], now: datetime, *, resumed: bool) -> int:
    first = items[0]
    batch = f"{first.customer_id}:{first.batch}"
    draft = _draft_of(first, batch) if resumed else None
    if draft is None:
        draft = invoices.create_draft(
            first.stripe_customer,
            currency=str(first.amount.currency),
            batch=batch,
            card=_card_of(first.customer),
            tax=bool(settings.STRIPE_AUTOMATIC_TAX),
            key=f"overage-invoice:{batch}",
        )
    there = invoices.items_on(draft.id) if resumed else {}
    for item in items:
        called = _called(item)
        item.item_id = there.get(called) or _add(item, draft.id, key=f"overage:{called}")
        item.invoice_id = draft.id
        item.save(update_fields=["item_id", "invoice_id"])
    if draft.status == "draft":
        invoices.finalize(draft.id, key=f"overage-final:{batch}")
    for item in items:
        _invoiced(item, draft.id, item.item_id, now)
    converge_invoice(draft.id, now)
    return len(items)


def _draft_of(item: OverageItem, batch: str) -> invoices.InvoiceSeen | None:
    """The batch's invoice, if Stripe has made it already."""
    made = invoices.invoices_of(item.stripe_customer, since=item.created_at - timedelta(days=1))
    return next((invoice for invoice in made if invoice.batch == batch), None)


def _can_be_asked(customer: Customer) -> bool:
    """Whether there is a card to charge, or an address Stripe can send an invoice to."""
    return bool(_card_of(customer) or StripeCustomer.objects.get(customer=customer).raw.get("email"))


def _card_of(customer: Customer) -> str:
    """The card on file: the customer's own, or the one their subscription is paid by."""
    payer = StripeCustomer.objects.get(customer=customer)
    row = live(customer)
    return payer.default_payment_method or str((row.raw.get("default_payment_method") if row else None) or "")


def _add(item: OverageItem, invoice_id: str, *, key: str) -> str:
    description = f"Usage beyond what is included: {format_credits(item.microcredits)} credits"
    return invoices.add_item(
        item.stripe_customer,
        invoice_id,
        amount=item.amount,
        description=f"{description}, to {item.billed_at:%Y-%m-%d}",
        overage=_called(item),
        key=key,
    )


def _called(item: OverageItem) -> str:
    return f"{item.customer_id}:{item.seq}"


def _invoiced(item: OverageItem, invoice_id: str, item_id: str, now: datetime) -> None:
    item.state, item.invoice_id, item.item_id = State.INVOICED, invoice_id, item_id
    item.invoiced_at, item.error, item.next_try_at = now, "", None
    item.save(update_fields=["state", "invoice_id", "item_id", "invoiced_at", "error", "next_try_at"])
