"""Charging the order of an auto top-up while its customer is away.

One payment per order, so that it can be charged only once: a declined one is tried again as it is. Every step looks at
what Stripe has before it asks for anything, because the step before may have died after Stripe had done its part.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F

from billing.convergence.locks import one_at_a_time
from billing.models import AutoTopUp, Payment, TopUpOrder
from billing.services.auto_top_ups import is_still_wanted
from billing.services.customers import converge_customer, stripe_customer_of
from billing.services.payments import settle_payment
from billing.services.top_ups import close_order, keep_session, question_key, session_of
from billing.stripe.amounts import to_minor
from billing.stripe.checkout import open_session
from billing.stripe.errors import Declined, Gone, Invalid, NeedsAction, StripeUnavailable
from billing.stripe.payments import cancel_payment, charge_again, charge_card, payment_for
from billing.stripe.payments import payment as see_payment
from entitlements.services.outbox import tell
from kernel.clock import format_instant

log = structlog.get_logger("weir.top_ups")

BACK_OFFS: Final = (timedelta(minutes=15), timedelta(hours=2), timedelta(hours=12))
"""How long to wait after each decline; after one more the order has failed and auto top-up rests."""

CLAIM: Final = timedelta(minutes=5)
"""How long a worker has with an order before another may try: longer than its calls' time limits together."""

UNHEARD: Final = timedelta(seconds=30)
"""When to ask again where Stripe did not answer."""


def charge_due_orders(now: datetime) -> int:
    """Carry on every auto top-up's order that is due. Returns how many were looked at."""
    due = TopUpOrder.objects.filter(
        origin=TopUpOrder.Origin.AUTO, state=TopUpOrder.State.OPEN, next_try_at__lte=now
    ).values_list("pk", flat=True)
    looked_at = 0
    for pk in list(due):
        order = claim(pk, now)
        if order is not None:
            carry_on(order, now)
            looked_at += 1
    return looked_at


def claim(pk: Any, now: datetime) -> TopUpOrder | None:
    """Take an order that is due; None where another worker has it."""
    with transaction.atomic():
        order = (
            TopUpOrder.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("customer")
            .filter(pk=pk, state=TopUpOrder.State.OPEN, next_try_at__lte=now)
            .first()
        )
        if order is not None:
            order.next_try_at = now + CLAIM
            order.save(update_fields=["next_try_at"])
    return order


def carry_on(order: TopUpOrder, now: datetime) -> None:
    """Bring an order one step further: look at its payment, charge, or say that its customer is needed."""
    try:
        with one_at_a_time(f"order:{order.pk}"):
            order.refresh_from_db()
            if order.state == TopUpOrder.State.OPEN:
                _carry_on(order, now)
    except StripeUnavailable as problem:
        log.warning("stripe_unavailable", order=str(order.pk), problem=str(problem))
        TopUpOrder.objects.filter(pk=order.pk, closed_at=None).update(next_try_at=now + UNHEARD)


def _carry_on(order: TopUpOrder, now: datetime) -> None:
    payment = find_payment(order)
    if payment is not None and not go_by(order, payment, now):
        return
    if is_still_wanted(order, now):
        attempt(order, payment, now)
    else:
        give_up(order, payment, now)


def go_by(order: TopUpOrder, payment: str, now: datetime) -> bool:
    """Do what the payment's state at Stripe calls for. Returns whether what it calls for is another charge."""
    settle_payment(payment, now)
    order.refresh_from_db()
    if order.closed_at is not None:
        return False
    match see_payment(payment).standing:
        case "processing":
            TopUpOrder.objects.filter(pk=order.pk).update(next_try_at=now + timedelta(hours=1))
        case "canceled":
            ask_customer(order, now)
        case "needs_action":
            give_to_customer(order, payment, now)
        case "declined" if order.failure_code == "":
            note_decline(order, now)  # whoever asked did not live to write it down
        case _:
            return True
    return False


def attempt(order: TopUpOrder, payment: str | None, now: datetime) -> None:
    """Charge the customer's card, if there is one, and write down what came of it."""
    try:
        who = str(stripe_customer_of(order.customer, now).stripe_id)
        card = card_of(who, now)
        if not card:
            ask_customer(order, now)
            return
        charge(order, payment, who, card)
        settle_payment(str(order.payment_intent_id), now)
    except (Declined, NeedsAction) as refusal:
        order.payment_intent_id = str(refusal.raw["id"])
        order.save(update_fields=["payment_intent_id"])
        go_by(order, order.payment_intent_id, now)
    except Gone as problem:
        converge_customer(order.stripe_customer, now)
        refuse(order, problem.code, str(problem), AutoTopUp.Paused.CUSTOMER_DELETED, now)
    except Invalid as problem:
        refuse(order, problem.code, str(problem), AutoTopUp.Paused.REFUSED, now)


def find_payment(order: TopUpOrder) -> str | None:
    """The order's payment, also where the answer that named it was lost."""
    if order.payment_intent_id is None and order.attempts and order.stripe_customer:
        # Looked for, because Stripe forgets idempotency keys after a day and may remember a 500 under one.
        since = order.created_at - timedelta(minutes=10)
        order.payment_intent_id = payment_for(str(order.pk), customer=order.stripe_customer, since=since)
        if order.payment_intent_id is not None:
            order.save(update_fields=["payment_intent_id"])
    return order.payment_intent_id


def card_of(stripe_customer: str, now: datetime) -> str:
    """The payment method to charge, as Stripe knows it now; empty if there is none. Raises Gone."""
    row = converge_customer(stripe_customer, now)
    if row is None or row.deleted_at is not None:
        raise Gone("the customer was deleted at Stripe", code="customer_deleted")
    return row.default_payment_method


def charge(order: TopUpOrder, payment: str | None, stripe_customer: str, card: str) -> None:
    """Ask for the money; the first time with a payment of its own, then the same again."""
    if payment is None:
        if "payment" not in order.asked:
            order.stripe_customer, order.attempts = stripe_customer, 1
            order.asked = order.asked | {"payment": payment_of(order, card)}
            order.save(update_fields=["stripe_customer", "attempts", "asked"])
        order.payment_intent_id = charge_card(order.asked["payment"], key=question_key(order))
        order.save(update_fields=["payment_intent_id"])
    else:
        order.attempts += 1
        order.failure_code = order.failure = ""
        order.save(update_fields=["attempts", "failure_code", "failure"])
        charge_again(payment, card, key=question_key(order))


def payment_of(order: TopUpOrder, card: str) -> dict[str, Any]:
    """What Stripe is asked for: one charge of a saved card for the whole gap."""
    return {
        "amount": to_minor(order.amount),
        "currency": str(order.amount.currency).lower(),
        "customer": order.stripe_customer,
        "payment_method": card,
        "confirm": True,
        "off_session": True,
        "description": order.asked["name"],
        "metadata": {"top_up_order": str(order.pk)},
    }


def note_decline(order: TopUpOrder, now: datetime) -> None:
    """Try again later, or after the last time give up and let auto top-up rest."""
    payment = Payment.objects.get(pk=order.payment_intent_id)
    error = payment.raw.get("last_payment_error") or {}
    code, said = error.get("decline_code") or error.get("code") or "declined", error.get("message") or ""
    retry_at = now + BACK_OFFS[order.attempts - 1] if order.attempts <= len(BACK_OFFS) else None
    with transaction.atomic():
        if retry_at is None:
            close_order(order, TopUpOrder.State.FAILED, now=now, code=code, failure=said)
            _rest(order, AutoTopUp.Paused.DECLINED, now)
        else:
            order.failure_code, order.failure, order.next_try_at = code, said, retry_at
            order.save(update_fields=["failure_code", "failure", "next_try_at"])
        _tell_failed(order, code, said, retry_at, now)


def give_to_customer(order: TopUpOrder, payment: str, now: datetime) -> None:
    """The bank wants to see the customer: make sure the payment cannot be made any more, and offer a page instead."""
    try:
        cancel_payment(payment, key=f"topup:{order.pk}:cancel")
    except Invalid:
        # It went through after all, or is on its way: then there is nothing to ask for.
        settle_payment(payment, now)
        return
    ask_customer(order, now)


def ask_customer(order: TopUpOrder, now: datetime) -> None:
    """Make a page where the customer pays this order, and say where it is."""
    if "session" not in order.asked:
        order.stripe_customer = str(stripe_customer_of(order.customer, now).stripe_id)
        order.success_url = order.success_url or settings.STRIPE_RETURN_URL
        order.attempts += 1
        order.asked = order.asked | {"session": session_of(order)}
        order.save(update_fields=["stripe_customer", "success_url", "attempts", "asked"])
    seen = open_session(order.asked["session"], key=question_key(order))
    had_card = "payment" in order.asked
    with transaction.atomic():
        keep_session(order, seen)
        order.state, order.next_try_at, order.payment_intent_id = TopUpOrder.State.NEEDS_ACTION, None, None
        order.failure_code = "authentication_required" if had_card else "no_payment_method"
        order.save(update_fields=["state", "next_try_at", "payment_intent_id", "failure_code"])
        _rest(order, AutoTopUp.Paused.NEEDS_ACTION if had_card else AutoTopUp.Paused.NO_CARD, now)
        payload = {"top_up": str(order.pk), "key": order.key, "code": order.failure_code, "url": order.url}
        tell(order.customer_id, f"top_up.needs_action:{order.pk}", "top_up.needs_action", payload, now)


def refuse(order: TopUpOrder, code: str, said: str, reason: AutoTopUp.Paused, now: datetime) -> None:
    """Asking again cannot help: the order has failed and auto top-up rests."""
    with transaction.atomic():
        close_order(order, TopUpOrder.State.FAILED, now=now, code=code, failure=said)
        _rest(order, reason, now)
        _tell_failed(order, code, said, None, now)


def give_up(order: TopUpOrder, payment: str | None, now: datetime) -> None:
    """Credits came from elsewhere, or auto top-up was ended: nothing is to be charged any more."""
    if payment is not None:
        try:
            cancel_payment(payment, key=f"topup:{order.pk}:cancel")
        except Invalid:
            settle_payment(payment, now)
            return
    close_order(order, TopUpOrder.State.EXPIRED, now=now, code="not_needed", failure="there was no gap any more")


def _rest(order: TopUpOrder, reason: AutoTopUp.Paused, now: datetime) -> None:
    AutoTopUp.objects.filter(pk=order.customer_id, paused_reason="").update(
        paused_reason=reason, failures=F("failures") + 1, changed_at=now
    )


def _tell_failed(order: TopUpOrder, code: str, said: str, retry_at: datetime | None, now: datetime) -> None:
    payload = {
        "top_up": str(order.pk),
        "key": order.key,
        "code": code,
        "reason": said,
        "retry_at": None if retry_at is None else format_instant(retry_at),
    }
    tell(order.customer_id, f"top_up.failed:{order.pk}:{order.attempts}", "top_up.failed", payload, now)
