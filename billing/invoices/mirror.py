"""An invoice from Stripe to ours, and to the subscription whose payment it is."""

from datetime import datetime
from typing import Any

from django.db import transaction

from billing.convergence.registry import converges
from billing.models import StripeCustomer, StripeInvoice, StripeSubscription
from billing.stripe import invoices
from billing.stripe.errors import Gone
from billing.stripe.invoices import InvoiceSeen
from billing.subscriptions.mirror import converge_subscription


@converges("invoice")
def invoice_changed(invoice_id: str, now: datetime) -> None:
    """An invoice was made, closed, paid, not paid, or written off. What is paid may have been overdue."""
    row = converge_invoice(invoice_id, now)
    if row is not None and row.subscription_id:
        behind = StripeSubscription.objects.filter(pk=row.subscription_id, ended_at=None)
        if behind.exclude(status="active").exists() or not behind.exists():
            converge_subscription(row.subscription_id, now)


def converge_invoice(invoice_id: str, now: datetime) -> StripeInvoice | None:
    """Fetch an invoice and keep what it says. None where it is of nobody we know."""
    try:
        seen = invoices.invoice(invoice_id)
    except Gone:
        StripeInvoice.objects.filter(pk=invoice_id).update(status="deleted", fetched_at=now)
        return None
    return keep(seen, now)


@transaction.atomic
def keep(seen: InvoiceSeen, now: datetime) -> StripeInvoice | None:
    """Write what Stripe has shown of an invoice."""
    known = StripeInvoice.objects.filter(pk=seen.id).values_list("customer_id", flat=True).first()
    owner = (
        known or StripeCustomer.objects.filter(stripe_id=seen.customer).values_list("customer_id", flat=True).first()
    )
    if owner is None:
        return None
    # Any: the stubs know a MoneyField only as a decimal.
    shown: dict[str, Any] = {
        "customer_id": owner,
        "number": seen.number,
        "status": seen.status,
        "reason": seen.reason,
        "subscription_id": seen.subscription,
        "total": seen.total,
        "due": seen.due,
        "paid": seen.paid,
        "tax": seen.tax,
        "hosted_url": seen.hosted_url,
        "pdf": seen.pdf,
        "period_start": seen.period_start,
        "period_end": seen.period_end,
        "created_at": seen.created_at,
        "finalized_at": seen.finalized_at,
        "paid_at": seen.paid_at,
        "raw": seen.raw,
        "fetched_at": now,
    }
    row, _ = StripeInvoice.objects.update_or_create(id=seen.id, defaults=shown)
    return row
