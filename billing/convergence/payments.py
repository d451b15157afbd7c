"""Payments of top-ups and what belongs to them, brought in line.

Events of charges are not kept: whatever happens to one is told of its payment, its refund or its dispute as well.
"""

from datetime import datetime

from billing.convergence.registry import converges
from billing.models import TopUpOrder
from billing.services.payments import settle_payment
from billing.services.top_ups import close_order
from billing.stripe.checkout import session as see_session
from billing.stripe.payments import payment_of


@converges("payment_intent")
def payment_intent(payment_intent_id: str, now: datetime) -> None:
    """Paid, declined, or waiting."""
    settle_payment(payment_intent_id, now)


@converges("refund")
def refund(refund_id: str, now: datetime) -> None:
    """Money that goes back, or failed to."""
    _settle(payment_of("refund", refund_id), now)


@converges("dispute")
def dispute(dispute_id: str, now: datetime) -> None:
    """Money the customer's bank took back, or returned."""
    _settle(payment_of("dispute", dispute_id), now)


@converges("checkout.session")
def checkout_session(session_id: str, now: datetime) -> None:
    """A page to pay on: paid, left open, or expired."""
    seen = see_session(session_id)
    if not seen.order:
        return
    _settle(seen.payment_intent or None, now)
    order = TopUpOrder.objects.filter(checkout_session_id=session_id).first()
    if order is not None and order.closed_at is None and seen.status == "expired":
        close_order(order, TopUpOrder.State.EXPIRED, now=now, code="expired", failure="nobody paid in time")


def _settle(payment_intent_id: str | None, now: datetime) -> None:
    if payment_intent_id is not None:
        settle_payment(payment_intent_id, now)
