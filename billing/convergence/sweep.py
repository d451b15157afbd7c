"""Reading Stripe's own lists for what no webhook told us, and repairing what is found."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from billing.convergence.inbox import converge, keep_events, process_due_events
from billing.convergence.registry import Finding, is_converged, sweepers
from billing.models import Payment, StripeEvent, StripeSweep, TopUpOrder
from billing.services.payments import order_of
from billing.services.top_ups import SESSION_LIFE, close_order
from billing.stripe.amounts import from_minor
from billing.stripe.checkout import session as see_session
from billing.stripe.errors import Gone
from billing.stripe.events import events_since
from billing.stripe.payments import payment as see_payment
from billing.stripe.payments import recent_payments

OVERLAP: Final = timedelta(hours=1)
"""Read again each time: Stripe's list may lag behind, and its clock is not ours."""

KEPT: Final = timedelta(days=30)
"""How long Stripe keeps events. Older gaps are found by looking at objects."""

FRESH: Final = timedelta(minutes=10)
"""An order this young is still on its way; its webhook will come."""


def sweep(now: datetime, *, repair: bool, since: datetime | None = None) -> Iterator[Finding]:
    """Find what is not in line with Stripe, and (with `repair`) put it right.

    `since` looks further back than the last sweep, also at payments whose events Stripe has forgotten.
    Raises StripeUnavailable.
    """
    began = now
    yield from _missed_events(now, repair=repair, since=since)
    yield from _unprocessed(now, repair=repair)
    yield from _open_orders(now, repair=repair)
    if since is not None:
        yield from _payments(now, repair=repair, since=since)
    for sweeper in sweepers():
        yield from sweeper(now, repair)
    if repair:
        StripeSweep.objects.update_or_create(id=1, defaults={"swept_until": began})


def _missed_events(now: datetime, *, repair: bool, since: datetime | None) -> Iterator[Finding]:
    """Events that Stripe lists and nobody has told us of. They are only kept here: the next step works them off."""
    mark = StripeSweep.objects.filter(id=1).first()
    from_when = since or (mark.swept_until - OVERLAP if mark else now - KEPT)
    cared = [event for event in events_since(max(from_when, now - KEPT)) if is_converged(event.object_type)]
    known: set[str] = set()
    for start in range(0, len(cared), 1000):
        ids = [event.id for event in cared[start : start + 1000]]
        known.update(StripeEvent.objects.filter(id__in=ids).values_list("id", flat=True))
    missed = [event for event in cared if event.id not in known]
    if repair:
        keep_events(missed, now=now, swept=True)
    for event in missed:
        yield Finding(f"no webhook came for {event.type} of {event.object_id}", repair)


def _unprocessed(now: datetime, *, repair: bool) -> Iterator[Finding]:
    if repair:
        process_due_events(now)
    for event in StripeEvent.objects.filter(processed_at=None).exclude(error=""):
        yield Finding(f"{event.type} of {event.object_id} failed {event.attempts} times: {event.error}", repaired=False)


def _open_orders(now: datetime, *, repair: bool) -> Iterator[Finding]:
    """Orders in flight, by what Stripe has of them: an event may be lost for good."""
    waiting = TopUpOrder.objects.filter(closed_at=None, created_at__lte=now - FRESH).order_by("created_at")
    for order in waiting:
        if order.checkout_session_id:
            yield from _page(order, order.checkout_session_id, now, repair=repair)
        elif order.payment_intent_id:
            yield from _payment(order.payment_intent_id, now, repair=repair)
        elif order.origin == TopUpOrder.Origin.CHECKOUT and order.created_at <= now - SESSION_LIFE:
            # Nobody was ever given a page; if Stripe has one, it has expired by itself.
            if repair:
                close_order(order, TopUpOrder.State.EXPIRED, now=now, code="expired", failure="no page was made")
            yield Finding(f"top-up {order.pk} never got its page", repair)


def _page(order: TopUpOrder, session_id: str, now: datetime, *, repair: bool) -> Iterator[Finding]:
    try:
        page = see_session(session_id)
    except Gone as problem:
        if repair:
            close_order(order, TopUpOrder.State.EXPIRED, now=now, code="gone", failure=str(problem))
        yield Finding(f"the page of top-up {order.pk} is gone", repair)
        return
    if page.payment_intent:
        yield from _payment(page.payment_intent, now, repair=repair)
    elif page.status == "expired":
        if repair:
            converge("checkout.session", session_id, now)
        yield Finding(f"the page of top-up {order.pk} expired", repair)


def _payments(now: datetime, *, repair: bool, since: datetime) -> Iterator[Finding]:
    """Every payment of ours since then, by its money and its credits."""
    theirs = {payment for payment, _ in recent_payments(since=since)}
    ours = Payment.objects.filter(order__created_at__gte=since).values_list("id", flat=True)
    for payment in sorted(theirs.union(ours)):
        yield from _payment(payment, now, repair=repair)


def _payment(payment_intent: str, now: datetime, *, repair: bool) -> Iterator[Finding]:
    try:
        fault = _fault(payment_intent)
        if fault is not None:
            if repair:
                converge("payment_intent", payment_intent, now)
            yield Finding(f"payment {payment_intent} {fault}", repair)
    except Gone as problem:
        yield Finding(f"payment {payment_intent}: {problem}", repaired=False)


def _fault(payment_intent: str) -> str | None:
    """How our rows differ from a payment that came through; None where they do not, or it is none of ours."""
    seen = see_payment(payment_intent)
    if seen.standing != "succeeded" or order_of(seen) is None:
        return None
    kept = Payment.objects.filter(pk=payment_intent).first()
    if kept is None or kept.grant_id is None:
        return f"of {seen.received} was not granted"
    for kind, sum_kept in (("refund", kept.refunded), ("dispute", kept.disputed)):
        minor = sum(one.minor for one in seen.takebacks if one.kind == kind and one.holds)
        if sum_kept != from_minor(minor, seen.currency):
            return f"has a {kind} that was not followed"
    return None
