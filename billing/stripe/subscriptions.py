"""Subscriptions (https://docs.stripe.com/api/subscriptions). Periods stand on their items in this API version."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from billing.stripe.client import asking, mutation, plain

Proration = Literal["always_invoice", "none"]


class ItemSeen(msgspec.Struct, frozen=True):
    """One thing subscribed to, and the period it is paid for."""

    id: str
    price: str
    period_start: datetime
    period_end: datetime


class SubscriptionSeen(msgspec.Struct, frozen=True):
    """A subscription as Stripe shows it now. `owed_since` is when its latest invoice became payable."""

    id: str
    customer: str
    status: str
    anchor: datetime
    items: tuple[ItemSeen, ...]
    trial_end: datetime | None
    cancel_at: datetime | None
    cancel_at_period_end: bool
    ended_at: datetime | None
    latest_invoice: str
    owed_since: datetime | None
    order: str
    change_awaits_payment: bool
    raw: dict[str, Any]


def subscription(subscription_id: str) -> SubscriptionSeen:
    """The subscription now. Raises Gone."""
    with asking() as stripe:
        return _seen(plain(stripe.v1.subscriptions.retrieve(subscription_id, {"expand": ["latest_invoice"]})))


def subscriptions_of(stripe_customer: str) -> list[str]:
    """The ids of a customer's subscriptions that have not ended, newest first."""
    with asking() as stripe:
        page = stripe.v1.subscriptions.list({"customer": stripe_customer, "limit": 100})
        return [one.id for one in page.auto_paging_iter()]


def all_running() -> Iterator[SubscriptionSeen]:
    """Every subscription that has not ended, a hundred a request, with its latest invoice."""
    with asking() as stripe:
        page = stripe.v1.subscriptions.list({"limit": 100, "expand": ["data.latest_invoice"]})
        for one in page.auto_paging_iter():
            yield _seen(plain(one))


def begin(asked: dict[str, Any], *, key: str) -> SubscriptionSeen:
    """Subscribe a customer who has a card on file: paid at once, or not at all. Raises Declined, NeedsAction."""
    with asking() as stripe:
        made: Any = stripe.v1.subscriptions.create(asked, mutation(key))  # type: ignore[arg-type]
    return subscription(str(made.id))


def checkout(asked: dict[str, Any], *, key: str) -> tuple[str, str]:
    """Open a page where a subscription is paid for. Returns the session's id and the page's URL."""
    with asking() as stripe:
        session: Any = stripe.v1.checkout.sessions.create(asked, mutation(key))  # type: ignore[arg-type]
    return str(session.id), str(session.url)


class SessionSeen(msgspec.Struct, frozen=True):
    """A checkout as Stripe shows it now."""

    id: str
    status: str
    mode: str
    subscription: str | None


def session(session_id: str) -> SessionSeen:
    """The checkout now. Raises Gone."""
    with asking() as stripe:
        found = plain(stripe.v1.checkout.sessions.retrieve(session_id))
    subscribed = found.get("subscription")
    return SessionSeen(found["id"], str(found["status"]), str(found["mode"]), str(subscribed) if subscribed else None)


def close_session(session_id: str) -> None:
    """Let nobody pay by this checkout any more. Raises Invalid when it is complete or has expired."""
    with asking() as stripe:
        stripe.v1.checkout.sessions.expire(session_id)


def change_price(subscription_id: str, item_id: str, price: str, *, prorates: Proration, key: str) -> SubscriptionSeen:
    """Put the subscription on another price: now and paid for now, or without proration from the next invoice on.

    What must be paid now and cannot be waits at Stripe, which drops it after a day; until then nothing has changed.
    """
    asked: dict[str, Any] = {"items": [{"id": item_id, "price": price}], "proration_behavior": prorates}
    if prorates == "always_invoice":
        asked["payment_behavior"] = "pending_if_incomplete"
    with asking() as stripe:
        stripe.v1.subscriptions.update(subscription_id, asked, mutation(key))  # type: ignore[arg-type]
    return subscription(subscription_id)


def end_with_period(subscription_id: str, *, ends: bool) -> SubscriptionSeen:
    """Let it end with the period that is paid for, or go on after all."""
    with asking() as stripe:
        stripe.v1.subscriptions.update(subscription_id, {"cancel_at_period_end": ends})
    return subscription(subscription_id)


def end_now(subscription_id: str, *, refund_as_credit: bool = False) -> SubscriptionSeen:
    """End it at once. What was paid for and not used stays paid, or becomes credit for later invoices."""
    with asking() as stripe:
        stripe.v1.subscriptions.cancel(subscription_id, {"prorate": refund_as_credit, "invoice_now": refund_as_credit})
    return subscription(subscription_id)


def _seen(raw: dict[str, Any]) -> SubscriptionSeen:
    invoice = raw["latest_invoice"]
    latest: dict[str, Any] = invoice if isinstance(invoice, dict) else {}
    kept = raw | {"latest_invoice": latest.get("id") or invoice}
    owed = (latest.get("status_transitions") or {}).get("finalized_at") or latest.get("created")
    return SubscriptionSeen(
        id=raw["id"],
        customer=str(raw["customer"]),
        status=raw["status"],
        anchor=instant(raw["billing_cycle_anchor"]),
        items=tuple(
            ItemSeen(
                item["id"],
                item["price"]["id"],
                instant(item["current_period_start"]),
                instant(item["current_period_end"]),
            )
            for item in raw["items"]["data"]
        ),
        trial_end=maybe_instant(raw["trial_end"]),
        cancel_at=maybe_instant(raw["cancel_at"]),
        cancel_at_period_end=raw["cancel_at_period_end"],
        ended_at=maybe_instant(raw["ended_at"]),
        latest_invoice=str(kept["latest_invoice"] or ""),
        owed_since=maybe_instant(owed),
        order=str((raw.get("metadata") or {}).get("order", "")),
        change_awaits_payment=raw.get("pending_update") is not None,
        raw=kept,
    )


def instant(seconds: int) -> datetime:
    """Stripe's seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)


def maybe_instant(seconds: int | None) -> datetime | None:
    """The same, where there may be none."""
    return None if seconds is None else instant(seconds)
