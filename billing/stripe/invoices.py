"""Invoices and what stands on them (https://docs.stripe.com/api/invoices, /api/invoiceitems)."""

from datetime import datetime
from typing import Any

import msgspec
from moneyed import Money

from billing.stripe.amounts import from_minor, to_minor
from billing.stripe.client import asking, mutation, plain
from billing.stripe.errors import Gone
from billing.stripe.subscriptions import instant, maybe_instant


class InvoiceSeen(msgspec.Struct, frozen=True):
    """An invoice as Stripe shows it now. `status` is Stripe's own; draft, open, paid, void, uncollectible."""

    id: str
    customer: str
    number: str
    status: str
    reason: str
    subscription: str
    total: Money
    due: Money
    paid: Money
    tax: Money
    hosted_url: str
    pdf: str
    period_start: datetime
    period_end: datetime
    created_at: datetime
    finalized_at: datetime | None
    paid_at: datetime | None
    batch: str
    raw: dict[str, Any]


def invoice(invoice_id: str) -> InvoiceSeen:
    """The invoice now. Raises Gone."""
    with asking() as stripe:
        found = plain(stripe.v1.invoices.retrieve(invoice_id))
    if found.get("deleted"):
        raise Gone(f"{invoice_id} was deleted")
    return _seen(found)


def invoices_of(stripe_customer: str, *, since: datetime) -> list[InvoiceSeen]:
    """A customer's invoices made since then, newest first."""
    asked: Any = {"customer": stripe_customer, "created": {"gte": int(since.timestamp())}, "limit": 100}
    with asking() as stripe:
        return [_seen(plain(one)) for one in stripe.v1.invoices.list(asked).auto_paging_iter()]


def open_renewal(subscription_id: str) -> InvoiceSeen | None:
    """The draft of a subscription's renewal, which takes more items until Stripe finalises it after an hour."""
    with asking() as stripe:
        page = stripe.v1.invoices.list({"subscription": subscription_id, "status": "draft", "limit": 10})
    drafts = [_seen(plain(one)) for one in page.data]
    return next((draft for draft in drafts if draft.reason == "subscription_cycle"), None)


def create_draft(stripe_customer: str, *, currency: str, batch: str, card: str, tax: bool, key: str) -> InvoiceSeen:
    """An empty invoice of its own, for the card to be charged; without one the customer gets it to pay in 14 days."""
    asked: dict[str, Any] = {
        "customer": stripe_customer,
        "currency": currency.lower(),
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "description": "Usage beyond what is included",
        "metadata": {"overage_batch": batch},
    }
    if card:
        asked["default_payment_method"] = card
    else:
        asked |= {"collection_method": "send_invoice", "days_until_due": 14}
    if tax:
        asked["automatic_tax"] = {"enabled": True}
    with asking() as stripe:
        return _seen(plain(stripe.v1.invoices.create(asked, mutation(key))))  # type: ignore[arg-type]


def add_item(stripe_customer: str, invoice_id: str, *, amount: Money, description: str, overage: str, key: str) -> str:
    """Put a line on a draft. Returns the item's id. Raises Invalid when the invoice is a draft no more."""
    with asking() as stripe:
        made = stripe.v1.invoice_items.create(
            {
                "customer": stripe_customer,
                "invoice": invoice_id,
                "amount": to_minor(amount),
                "currency": str(amount.currency).lower(),
                "description": description,
                "metadata": {"overage": overage},
            },
            mutation(key),
        )
    return str(made.id)


def items_on(invoice_id: str) -> dict[str, str]:
    """The ids of an invoice's items that are overage of ours, by what they are called there."""
    with asking() as stripe:
        page = stripe.v1.invoice_items.list({"invoice": invoice_id, "limit": 100})
        items = [plain(one) for one in page.auto_paging_iter()]
    return {item["metadata"]["overage"]: item["id"] for item in items if "overage" in (item.get("metadata") or {})}


def finalize(invoice_id: str, *, key: str) -> InvoiceSeen:
    """Close a draft and let Stripe collect it."""
    with asking() as stripe:
        return _seen(plain(stripe.v1.invoices.finalize_invoice(invoice_id, {"auto_advance": True}, mutation(key))))


def _seen(raw: dict[str, Any]) -> InvoiceSeen:
    currency, parent = raw["currency"], raw.get("parent") or {}
    moments = raw.get("status_transitions") or {}
    taxes = sum(int(one["amount"]) for one in raw.get("total_taxes") or [])
    return InvoiceSeen(
        id=raw["id"],
        customer=str(raw["customer"]),
        number=raw.get("number") or "",
        status=raw["status"],
        reason=raw.get("billing_reason") or "",
        subscription=str((parent.get("subscription_details") or {}).get("subscription") or ""),
        total=from_minor(raw["total"], currency),
        due=from_minor(raw["amount_due"], currency),
        paid=from_minor(raw["amount_paid"], currency),
        tax=from_minor(taxes, currency),
        hosted_url=raw.get("hosted_invoice_url") or "",
        pdf=raw.get("invoice_pdf") or "",
        period_start=instant(raw["period_start"]),
        period_end=instant(raw["period_end"]),
        created_at=instant(raw["created"]),
        finalized_at=maybe_instant(moments.get("finalized_at")),
        paid_at=maybe_instant(moments.get("paid_at")),
        batch=str((raw.get("metadata") or {}).get("overage_batch", "")),
        raw=raw,
    )
