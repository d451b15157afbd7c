"""From a subscription at Stripe to ours: the one way in, whoever noticed that something had happened."""

from datetime import datetime
from typing import Any

from django.db import transaction

from billing.models import StripeCustomer, StripePrice, StripeSubscription, SubscriptionOrder
from billing.stripe import subscriptions
from billing.stripe.errors import Gone
from billing.stripe.subscriptions import ItemSeen, SubscriptionSeen
from entitlements.models import Customer, Subscription
from entitlements.services.outbox import tell
from entitlements.services.standing import set_overdue
from entitlements.services.subscriptions import Paid, end_subscription, subscribe
from kernel.clock import format_instant
from kernel.ids import body_digest
from plans.models import PlanVersion


def live(customer: Customer) -> StripeSubscription | None:
    """The customer's subscription at Stripe that has begun and has not ended."""
    rows = StripeSubscription.objects.select_related("customer", "plan_version__plan", "pending_version__plan")
    return rows.filter(customer=customer, ended_at=None, surplus=False).exclude(status="incomplete").first()


def converge_subscription(subscription_id: str, now: datetime) -> StripeSubscription | None:
    """Fetch a subscription and make our rows agree. None where it is of nobody we know.

    Call it under `one_at_a_time(subscription_id)`. A second one of the same customer is ended at once, and what was
    paid for it becomes credit for later invoices.
    """
    try:
        seen = subscriptions.subscription(subscription_id)
    except Gone:
        return _gone(subscription_id, now)
    row = mirror(seen, now)
    if row is not None and row.surplus and row.ended_at is None:
        return mirror(subscriptions.end_now(subscription_id, refund_as_credit=True), now)
    return row


@transaction.atomic
def mirror(seen: SubscriptionSeen, now: datetime) -> StripeSubscription | None:
    """Write what Stripe has shown, and what follows from it here."""
    customer = _customer(seen)
    if customer is None:
        return None
    before = StripeSubscription.objects.select_related("plan_version__plan").filter(pk=seen.id).first()
    was = None if before is None else _told(before)
    row = _written(seen, customer, now)
    _close_order(row, seen, now)
    if not row.surplus:
        _follow(row, now)
        _tell(row, was, now)
    return row


def _customer(seen: SubscriptionSeen) -> Customer | None:
    """Whose it is, locked, so that two subscriptions of one customer are looked at one after the other."""
    known = StripeSubscription.objects.filter(pk=seen.id).values_list("customer_id", flat=True).first()
    if known is None:
        known = StripeCustomer.objects.filter(stripe_id=seen.customer).values_list("customer_id", flat=True).first()
    return None if known is None else Customer.objects.select_for_update(no_key=True).get(pk=known)


def _written(seen: SubscriptionSeen, customer: Customer, now: datetime) -> StripeSubscription:
    row = StripeSubscription.objects.filter(pk=seen.id).first()
    if row is None:
        others = StripeSubscription.objects.filter(customer=customer, ended_at=None, surplus=False)
        row = StripeSubscription(pk=seen.id, customer=customer, surplus=others.exists())
    item, version = _plan_of(seen)
    row.stripe_customer = seen.customer
    row.plan_version = version
    row.item_id = item.id
    row.status = seen.status
    row.anchor = seen.anchor
    row.period_start, row.period_end = item.period_start, item.period_end
    row.trial_end, row.cancel_at = seen.trial_end, seen.cancel_at
    row.cancel_at_period_end = seen.cancel_at_period_end
    row.ended_at = (seen.ended_at or now) if seen.status in StripeSubscription.ENDED else None
    overdue = seen.status in StripeSubscription.OVERDUE
    row.overdue_since = (row.overdue_since or seen.owed_since or now) if overdue else None
    row.latest_invoice = seen.latest_invoice
    row.raw, row.fetched_at = seen.raw, now
    row.save()
    return row


def _plan_of(seen: SubscriptionSeen) -> tuple[ItemSeen, PlanVersion | None]:
    """The item that is one of our plans; a subscription may hold others beside it."""
    prices = {
        price.price_id: price
        for price in StripePrice.objects.filter(price_id__in=[item.price for item in seen.items]).select_related(
            "plan_version__plan"
        )
    }
    for item in seen.items:
        if item.price in prices:
            return item, prices[item.price].plan_version
    return seen.items[0], None


def _close_order(row: StripeSubscription, seen: SubscriptionSeen, now: datetime) -> None:
    """The order this began with has come to its end."""
    if seen.order and row.status != "incomplete":
        orders = SubscriptionOrder.objects.filter(pk=seen.order, customer=row.customer, state="open")
        if row.status == "incomplete_expired":
            orders.update(state="failed", closed_at=now, failure="the first payment never came")
        else:
            orders.update(state="done", closed_at=now, stripe_subscription_id=row.pk)


def _follow(row: StripeSubscription, now: datetime) -> None:
    """Put the customer on what Stripe charges for, or take them off it."""
    ours = Subscription.objects.filter(customer=row.customer, ended_at=None).first()
    if row.status in StripeSubscription.SERVED and row.plan_version is not None:
        target = _due_version(row, ours, row.plan_version, now)
        if ours is None or (ours.plan_version_id, ours.anchor) != (target.pk, row.anchor):
            paid = _paid(row, ours)
            ours = subscribe(row.customer.key, target, now, anchor=row.anchor, already_sold=True, paid=paid)
        set_overdue(row.customer.key, row.overdue_since, now)
    elif row.subscription_id is not None and ours is not None and ours.pk == row.subscription_id:
        end_subscription(row.customer.key, now)
        set_overdue(row.customer.key, None, now)
    if ours is not None and row.status in StripeSubscription.SERVED:
        row.subscription = ours
    if row.ended_at is not None:
        row.pending_version = row.pending_at = None
    row.save(update_fields=["subscription", "pending_version", "pending_at"])


def _paid(row: StripeSubscription, ours: Subscription | None) -> Paid:
    """What Stripe has charged for the period that begins here, beside the one before."""
    if row.status == "trialing" or row.plan_version is None or not row.plan_version.price.amount:
        return "nothing"
    if ours is None or row.subscription_id is None:
        return "all"  # it has just begun, or begun again
    if ours.anchor == row.anchor:
        return "nothing"
    # Cut short, a trial makes way for a period paid in full; else Stripe has given back the rest of the former one.
    return "all" if row.anchor == row.trial_end else "rest"


def _due_version(
    row: StripeSubscription, ours: Subscription | None, charged: PlanVersion, now: datetime
) -> PlanVersion:
    """What the customer is to be on now: what Stripe charges for, unless that is to begin with the next period."""
    waits = row.pending_version_id == charged.pk and row.pending_at is not None and now < row.pending_at
    if waits and ours is not None:
        return ours.plan_version
    row.pending_version = row.pending_at = None
    return charged


def _tell(row: StripeSubscription, was: dict[str, Any] | None, now: datetime) -> None:
    """Tell the outside what has become of it, if that is news."""
    told = _told(row)
    if told != was and (was is not None or row.status in StripeSubscription.SERVED):
        key = f"subscription:{row.pk}:{now.isoformat()}:{body_digest(told)}"
        tell(row.customer_id, key, "subscription.changed", told | {"previous": was}, now=now)


def _told(row: StripeSubscription) -> dict[str, Any]:
    def named(version: PlanVersion | None) -> dict[str, Any] | None:
        return None if version is None else {"plan": version.plan.key, "version": version.number}

    def instant(moment: datetime | None) -> str | None:
        return None if moment is None else format_instant(moment)

    return {
        "subscription": row.pk,
        "status": row.status,
        "charged": named(row.plan_version),
        "next": named(row.pending_version),
        "cancel_at": instant(row.cancel_at),
        "overdue_since": instant(row.overdue_since),
    }


@transaction.atomic
def _gone(subscription_id: str, now: datetime) -> StripeSubscription | None:
    """Stripe knows it no more: the customer's data was erased there, or the key is another account's."""
    row = StripeSubscription.objects.select_for_update().filter(pk=subscription_id).first()
    if row is not None and row.ended_at is None:
        was = _told(row)
        row.status, row.ended_at, row.overdue_since, row.fetched_at = "canceled", now, None, now
        row.save()
        if not row.surplus:
            _follow(row, now)
            _tell(row, was, now)
    return row
