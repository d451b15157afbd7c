"""Payments (https://docs.stripe.com/api/payment_intents) with their charges, refunds and disputes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec
from moneyed import Money

from billing.stripe.amounts import from_minor
from billing.stripe.client import asking, mutation, plain

_EXPAND: Final = ["latest_charge.balance_transaction"]

_UNDONE_REFUNDS: Final = frozenset({"failed", "canceled"})
_TAKING_DISPUTES: Final = frozenset({"needs_response", "under_review", "lost"})
"""In other states the bank has only asked, was satisfied, or has given the money back."""

Standing = Literal["succeeded", "processing", "declined", "needs_action", "canceled", "waiting"]


class Takeback(msgspec.Struct, frozen=True):
    """A refund or dispute: so many `minor` units have gone back while it `holds`. `changed_at`: when it was undone."""

    id: str
    kind: Literal["refund", "dispute"]
    minor: int
    holds: bool
    opened_at: datetime
    changed_at: datetime | None


class PaymentSeen(msgspec.Struct, frozen=True):
    """A payment as Stripe shows it now, with everything that was taken back of it, oldest first."""

    id: str
    standing: Standing
    order: str
    customer: str
    payment_method: str
    keeps_card: bool
    minor: int
    currency: str
    failure_code: str
    failure: str
    receipt_url: str
    fee: Money | None
    takebacks: tuple[Takeback, ...]
    raw: dict[str, Any]

    @property
    def received(self) -> Money:
        """What was paid, with tax; refunds and disputes do not change it."""
        return from_minor(self.minor, self.currency)


def payment(payment_intent: str) -> PaymentSeen:
    """The payment now. Raises Gone."""
    with asking() as stripe:
        intent = plain(stripe.v1.payment_intents.retrieve(payment_intent, {"expand": _EXPAND}))
        if intent["status"] != "succeeded":
            return _seen(intent, ())
        query: Any = {"payment_intent": payment_intent, "limit": 100}
        refunds = [_refund(plain(one)) for one in stripe.v1.refunds.list(query).auto_paging_iter()]
        disputes = [_dispute(plain(one)) for one in stripe.v1.disputes.list(query).auto_paging_iter()]
    return _seen(intent, tuple(sorted([*refunds, *disputes], key=lambda one: (one.opened_at, one.id))))


def charge_card(asked: dict[str, Any], *, key: str) -> str:
    """Charge a saved card while its owner is away, once per `key`. Returns the payment's id.

    Raises Declined and NeedsAction with the intent in `raw`; Gone, Invalid.
    """
    with asking() as stripe:
        made: Any = stripe.v1.payment_intents.create(asked, mutation(key))  # type: ignore[arg-type]
        return str(made.id)


def charge_again(payment_intent: str, payment_method: str, *, key: str) -> None:
    """Try a declined payment once more: it stays the one payment of its order. Raises as `charge_card`."""
    with asking() as stripe:
        how: Any = {"payment_method": payment_method, "off_session": True}
        stripe.v1.payment_intents.confirm(payment_intent, how, mutation(key))


def cancel_payment(payment_intent: str, *, key: str) -> None:
    """Make sure that a payment will not be made. Raises Invalid if it has been, or is on its way."""
    with asking() as stripe:
        stripe.v1.payment_intents.cancel(payment_intent, {"cancellation_reason": "abandoned"}, mutation(key))


def payment_for(order: str, *, customer: str, since: datetime) -> str | None:
    """The payment that was made for an order, though its answer never reached us."""
    with asking() as stripe:
        query: Any = {"customer": customer, "created": {"gte": int(since.timestamp())}, "limit": 100}
        for one in stripe.v1.payment_intents.list(query).auto_paging_iter():
            if (plain(one).get("metadata") or {}).get("top_up_order") == order:
                return str(one.id)
    return None


def payment_of(kind: str, object_id: str) -> str | None:
    """The payment a refund or dispute belongs to. Raises Gone."""
    with asking() as stripe:
        service: Any = {"refund": stripe.v1.refunds, "dispute": stripe.v1.disputes}[kind]
        found = plain(service.retrieve(object_id)).get("payment_intent")
    return str(found) if found else None


def recent_payments(*, since: datetime) -> Iterator[tuple[str, str]]:
    """Payments made since then that name an order of ours: (payment, order), newest first."""
    with asking() as stripe:
        query: Any = {"created": {"gte": int(since.timestamp())}, "limit": 100}
        for one in stripe.v1.payment_intents.list(query).auto_paging_iter():
            order = (plain(one).get("metadata") or {}).get("top_up_order")
            if order:
                yield str(one.id), str(order)


def _seen(intent: dict[str, Any], takebacks: tuple[Takeback, ...]) -> PaymentSeen:
    charge = intent.get("latest_charge")
    charge = charge if isinstance(charge, dict) else {}
    error = intent.get("last_payment_error") or {}
    settled = charge.get("balance_transaction")
    return PaymentSeen(
        id=intent["id"],
        standing=_standing(intent, error),
        order=(intent.get("metadata") or {}).get("top_up_order") or "",
        customer=intent.get("customer") or "",
        payment_method=intent.get("payment_method") or "",
        keeps_card=bool(intent.get("setup_future_usage")),
        minor=intent.get("amount_received") or 0,
        currency=intent["currency"],
        failure_code=error.get("decline_code") or error.get("code") or "",
        failure=error.get("message") or "",
        receipt_url=charge.get("receipt_url") or "",
        fee=from_minor(settled["fee"], settled["currency"]) if isinstance(settled, dict) else None,
        takebacks=takebacks,
        raw=intent,
    )


def _standing(intent: dict[str, Any], error: dict[str, Any]) -> Standing:
    match intent["status"]:
        case "succeeded" | "processing" | "canceled" as known:
            return known  # type: ignore[no-any-return] # one of the three
        case "requires_action":
            return "needs_action"
    if error.get("code") == "authentication_required":
        return "needs_action"
    return "declined" if error else "waiting"


def _refund(raw: dict[str, Any]) -> Takeback:
    undone = raw["status"] in _UNDONE_REFUNDS
    return Takeback(raw["id"], "refund", raw["amount"], not undone, _at(raw["created"]), None)


def _dispute(raw: dict[str, Any]) -> Takeback:
    moved = [one["created"] for one in raw.get("balance_transactions") or () if isinstance(one, dict)]
    changed = _at(max(moved)) if len(moved) > 1 else None
    holds = raw["status"] in _TAKING_DISPUTES
    return Takeback(raw["id"], "dispute", raw["amount"], holds, _at(raw["created"]), changed)


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
