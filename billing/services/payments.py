"""A payment brought in line with Stripe: what was paid is granted once, what went back is taken back once.

One function for every kind of event, because it looks at the whole payment and asks only what is still missing. So
the order, number and loss of events do not matter, and neither does where an earlier call died.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from moneyed import Money

from billing.convergence.locks import one_at_a_time
from billing.models import AutoTopUp, Payment, StripeCustomer, TopUpOrder
from billing.services.reversals import undo_and_redo
from billing.stripe.checkout import SessionSeen, session_that_made
from billing.stripe.customers import charge_by_default
from billing.stripe.payments import PaymentSeen
from billing.stripe.payments import payment as see_payment
from entitlements.models import Customer
from entitlements.services.customers import check_currency_is_free
from entitlements.services.grants import GrantRequest, add_grant
from entitlements.services.outbox import tell
from kernel.units import format_credits


def settle_payment(payment_intent: str, now: datetime) -> Payment | None:
    """Make our rows agree with a payment and all that was taken back of it; None if it is of no order of ours.

    Raises Gone, StripeUnavailable.
    """
    with one_at_a_time(payment_intent):
        seen = see_payment(payment_intent)
        order = order_of(seen)
        if order is None:
            return None
        granted = Payment.objects.filter(pk=payment_intent).exclude(grant_id=None).exists()
        complete = granted and (order.invoice_url or order.checkout_session_id is None)
        session = session_that_made(payment_intent) if seen.standing == "succeeded" and not complete else None
        payment = keep_payment(order, seen, session, now)
        if payment.grant_id is not None and seen.keeps_card:
            keep_card(order, seen, now)
        return payment


def order_of(seen: PaymentSeen) -> TopUpOrder | None:
    """The order a payment is for: what we told Stripe when we asked for it, or what we know of it."""
    known = TopUpOrder.objects.filter(payment_intent_id=seen.id).first()
    if known is not None or not seen.order:
        return known
    try:
        return TopUpOrder.objects.filter(pk=UUID(seen.order)).first()
    except ValueError:
        return None


def keep_payment(order: TopUpOrder, seen: PaymentSeen, session: SessionSeen | None, now: datetime) -> Payment:
    """Everything a payment means for our rows, in one transaction: mirror, credits, order, reversals, messages."""
    with transaction.atomic():
        order = TopUpOrder.objects.select_for_update().select_related("customer").get(pk=order.pk)
        payment = Payment.objects.select_for_update().filter(pk=seen.id).first()
        nothing: Any = seen.received - seen.received
        if payment is None:
            payment = Payment(id=seen.id, customer=order.customer, order=order, refunded=nothing, disputed=nothing)
        payment.status, payment.received, payment.fee = seen.raw["status"], seen.received, seen.fee
        payment.raw, payment.fetched_at = seen.raw, now
        payment.save()
        if seen.standing == "succeeded":
            if payment.grant_id is None:
                _grant(order, payment, seen, session, now)
            elif session is not None and session.invoice_url and not order.invoice_url:
                order.invoice_url = session.invoice_url
                order.save(update_fields=["invoice_url"])
            undo_and_redo(order, payment, seen, now)
        elif order.payment_intent_id is None and order.closed_at is None and seen.standing != "canceled":
            order.payment_intent_id = seen.id
            order.save(update_fields=["payment_intent_id"])
    return payment


def keep_card(order: TopUpOrder, seen: PaymentSeen, now: datetime) -> None:
    """Charge auto top-ups to the card that was just kept, unless another was chosen before."""
    row = StripeCustomer.objects.filter(customer=order.customer, stripe_id=seen.customer, deleted_at=None).first()
    if row is None or row.default_payment_method or not seen.payment_method:
        return
    chosen = charge_by_default(seen.customer, seen.payment_method, key=f"card:{seen.id}")
    StripeCustomer.objects.filter(pk=row.pk, stripe_id=seen.customer, deleted_at=None).update(
        default_payment_method=chosen.default_payment_method, raw=chosen.raw, fetched_at=now
    )


def _grant(order: TopUpOrder, payment: Payment, seen: PaymentSeen, session: SessionSeen | None, now: datetime) -> None:
    """Grant what the order promised, once per payment: also to one that was given up before the money came."""
    net, tax = (session.net, session.tax) if session else (seen.received, seen.received - seen.received)
    _settle_currency(order.customer, str(net.currency))
    expires_at = now + timedelta(days=order.expires_after_days) if order.expires_after_days else None

    def grant(suffix: str, source: str, microcredits: int, paid: Money | None) -> UUID:
        request = GrantRequest(
            key=f"payment_intent:{seen.id}{suffix}",
            microcredits=microcredits,
            source=source,
            expires_at=expires_at,
            paid=paid,
            reason=f"top-up {order.key}",
            actor="stripe",
        )
        return add_grant(order.customer.key, request, now)[0].id

    payment.net = net
    payment.grant_id = grant("", "top_up", order.microcredits, net)
    if order.bonus_microcredits:
        payment.bonus_grant_id = grant(":bonus", "promo", order.bonus_microcredits, None)
    payment.save(update_fields=["net", "net_currency", "grant_id", "bonus_grant_id"])
    if order.state != TopUpOrder.State.PAID:
        order.state, order.paid_at, order.closed_at, order.next_try_at = TopUpOrder.State.PAID, now, now, None
        order.payment_intent_id = seen.id
        order.paid, order.tax = net, tax
        order.grant_id, order.bonus_grant_id = payment.grant_id, payment.bonus_grant_id
        order.receipt_url = seen.receipt_url
        order.failure_code = order.failure = ""
        if session is not None:
            order.invoice_url = session.invoice_url
            order.checkout_session_id = order.checkout_session_id or session.id
        order.save()
    _encourage(order, now)
    tell(
        order.customer_id,
        f"top_up.succeeded:{seen.id}",
        "top_up.succeeded",
        {
            "top_up": str(order.pk),
            "key": order.key,
            "origin": order.origin,
            "credits": format_credits(order.microcredits + order.bonus_microcredits),
            "paid": {"amount": f"{net.amount:f}", "currency": str(net.currency)},
            "receipt_url": seen.receipt_url,
        },
        now,
    )


def _encourage(order: TopUpOrder, now: datetime) -> None:
    """A payment came through: what auto top-up rested for because of a card is over."""
    AutoTopUp.objects.filter(
        customer_id=order.customer_id,
        paused_reason__in=("", *AutoTopUp.OVER_WHEN_PAID),
    ).update(failures=0, next_try_at=None, paused_reason="", changed_at=now)


def _settle_currency(customer: Customer, currency: str) -> None:
    """The currency somebody pays in is theirs: if it was changed while the page was open, it changes back.

    Raises CurrencyInUse where another has been paid in meanwhile: two cannot be added up, so a person must decide.
    """
    if customer.currency != currency:
        check_currency_is_free(customer)
        customer.currency = currency
        customer.save(update_fields=["currency"])
