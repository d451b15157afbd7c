"""Checkout sessions (https://docs.stripe.com/api/checkout/sessions): pages where somebody pays, kept by Stripe."""

from typing import Any

import msgspec
from moneyed import Money

from billing.stripe.amounts import from_minor
from billing.stripe.client import asking, mutation, plain

_EXPAND = ["invoice"]


class SessionSeen(msgspec.Struct, frozen=True):
    """A session as Stripe shows it now. `net` and `tax` are what the payment comes to, or came to."""

    id: str
    mode: str
    status: str
    url: str
    order: str
    payment_intent: str
    net: Money
    tax: Money
    invoice_url: str


def open_session(asked: dict[str, Any], *, key: str) -> SessionSeen:
    """Make the page, once per `key`; the same key with other parameters is refused. Raises Invalid, Gone."""
    with asking() as stripe:
        made: Any = stripe.v1.checkout.sessions.create(asked, mutation(key))  # type: ignore[arg-type]
        return _seen(plain(made))


def session(session_id: str) -> SessionSeen:
    """The session now. Raises Gone."""
    with asking() as stripe:
        return _seen(plain(stripe.v1.checkout.sessions.retrieve(session_id, {"expand": _EXPAND})))


def session_that_made(payment_intent: str) -> SessionSeen | None:
    """The session a payment came from, if it came from one."""
    with asking() as stripe:
        query: Any = {"payment_intent": payment_intent, "limit": 1, "expand": [f"data.{one}" for one in _EXPAND]}
        found = stripe.v1.checkout.sessions.list(query).data
        return _seen(plain(found[0])) if found else None


def close_session(session_id: str, *, key: str) -> SessionSeen:
    """Take the page back: it cannot be paid any more. Raises Invalid if it was paid or has expired."""
    with asking() as stripe:
        return _seen(plain(stripe.v1.checkout.sessions.expire(session_id, {}, mutation(key))))


def _seen(raw: dict[str, Any]) -> SessionSeen:
    currency = raw.get("currency") or "usd"  # one in setup mode may have none; it moves no money
    total, tax = raw.get("amount_total") or 0, (raw.get("total_details") or {}).get("amount_tax") or 0
    invoice = raw.get("invoice")
    return SessionSeen(
        id=raw["id"],
        mode=raw["mode"],
        status=raw.get("status") or "",
        url=raw.get("url") or "",
        order=(raw.get("metadata") or {}).get("top_up_order") or "",
        payment_intent=raw.get("payment_intent") or "",
        net=from_minor(total - tax, currency),
        tax=from_minor(tax, currency),
        invoice_url=(invoice.get("hosted_invoice_url") or "") if isinstance(invoice, dict) else "",
    )
