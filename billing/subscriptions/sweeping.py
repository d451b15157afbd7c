"""What the sweep looks at of subscriptions and invoices, whether or not events came of them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from billing.convergence.locks import one_at_a_time
from billing.convergence.registry import Finding, sweeps
from billing.invoices.mirror import converge_invoice
from billing.models import StripeCustomer, StripeInvoice, StripeSubscription, SubscriptionOrder
from billing.stripe import subscriptions
from billing.stripe.subscriptions import SubscriptionSeen
from billing.subscriptions.mirror import converge_subscription
from billing.subscriptions.starting import converge_session

STALE: Final = timedelta(days=1)
"""An invoice that is not settled is looked at again when nobody has told us anything of it for so long."""

FRESH: Final = timedelta(minutes=10)
"""A checkout this young is on its way; its webhook will come."""


@sweeps
def sweep_subscriptions(now: datetime, repair: bool) -> Iterator[Finding]:
    """Subscriptions that are otherwise at Stripe than here, and those that only one side has."""
    rows = {row.pk: row for row in StripeSubscription.objects.filter(ended_at=None)}
    for seen in subscriptions.all_running():
        fault = _fault(rows.pop(seen.id, None), seen)
        if fault is not None:
            _converge(seen.id, now, repair=repair)
            yield Finding(f"subscription {seen.id} {fault}", repair)
    for subscription_id in rows:
        _converge(subscription_id, now, repair=repair)
        yield Finding(f"subscription {subscription_id} has ended at Stripe", repair)


@sweeps
def sweep_checkouts(now: datetime, repair: bool) -> Iterator[Finding]:
    """Pages of subscriptions that are open here and not at Stripe."""
    orders = SubscriptionOrder.objects.filter(state=SubscriptionOrder.State.OPEN, created_at__lte=now - FRESH)
    for order in orders.exclude(checkout_session_id=None):
        page = subscriptions.session(str(order.checkout_session_id))
        if page.status != "open":
            if repair:
                converge_session(page.id, now)
            yield Finding(f"the page of subscription order {order.pk} is {page.status}", repair)


@sweeps
def sweep_invoices(now: datetime, repair: bool) -> Iterator[Finding]:
    """Invoices that are not settled and that nothing was heard of for a day."""
    quiet = StripeInvoice.objects.filter(status__in=("draft", "open"), fetched_at__lte=now - STALE)
    for row in quiet.order_by("pk") if repair else ():
        was = row.status
        found = converge_invoice(row.pk, now)
        if found is None or found.status != was:
            yield Finding(f"invoice {row.pk} is {found.status if found else 'gone'}, not {was}", repair)


def _fault(row: StripeSubscription | None, seen: SubscriptionSeen) -> str | None:
    """How our row differs from what Stripe shows; None where it does not, or it is nobody's we know."""
    if row is None:
        ours = StripeCustomer.objects.filter(stripe_id=seen.customer).exists()
        return "is not known here" if ours and seen.status not in {"incomplete", "incomplete_expired"} else None
    if row.status != seen.status:
        return f"is {seen.status}, not {row.status}"
    if row.cancel_at != seen.cancel_at:
        return "ends at another time"
    mine = next((item for item in seen.items if item.id == row.item_id), seen.items[0])
    if (row.period_start, row.period_end) != (mine.period_start, mine.period_end):
        return "is in another period"
    if row.pending_version_id not in {None, row.plan_version_id}:
        return "knows nothing of a change that was noted"
    price = row.plan_version.stripe_price.price_id if row.plan_version else mine.price
    return None if price == mine.price else "is on another price"


def _converge(subscription_id: str, now: datetime, *, repair: bool) -> None:
    if repair:
        with one_at_a_time(subscription_id):
            converge_subscription(subscription_id, now)
