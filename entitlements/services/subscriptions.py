"""Putting customers on plans, with or without a payment provider."""

from datetime import datetime

from entitlements.core.timeline import end_subscription as end_in_account
from entitlements.core.timeline import start_subscription
from entitlements.models import Subscription
from entitlements.services.accounts import opened_one
from kernel.errors import Conflict, NotFound
from plans.models import PlanVersion


class PlanNotPublished(Conflict):
    code = "plan_not_published"
    title = "Only a published plan version can be subscribed to"


class NotSubscribed(NotFound):
    code = "not_subscribed"
    title = "The customer has no subscription"


def subscribe(
    customer_key: str, plan_version: PlanVersion, now: datetime, anchor: datetime | None = None
) -> Subscription:
    """Put a customer on a plan version from `now`, ending the subscription they had.

    Being on that version already changes nothing. The anchor (default: the former subscription's,
    else now) fixes where billing periods start. Raises CustomerUnknown, PlanNotPublished.
    """
    with opened_one(customer_key, now=now) as (account, reference):
        terms = reference.catalogue.plans.get(plan_version.pk)
        if terms is None or terms.status != "published":
            raise PlanNotPublished(f"{plan_version} is not published", field="plan")
        former = Subscription.objects.filter(customer_id=account.customer_id, ended_at=None).first()
        if former is not None:
            if former.plan_version_id == plan_version.pk and anchor in {None, former.anchor}:
                return former
            former.ended_at = now
            former.save(update_fields=["ended_at"])
        anchor = anchor or (former.anchor if former else now)
        subscription = Subscription.objects.create(
            customer_id=account.customer_id, plan_version=plan_version, anchor=anchor, started_at=now
        )
        start_subscription(account, terms, subscription_id=subscription.pk, anchor=anchor, now=now)
    return subscription


def end_subscription(customer_key: str, now: datetime) -> Subscription:
    """End a customer's subscription now. Bought credits stay. Raises CustomerUnknown, NotSubscribed."""
    with opened_one(customer_key, now=now) as (account, _):
        subscription = Subscription.objects.filter(customer_id=account.customer_id, ended_at=None).first()
        if subscription is None:
            raise NotSubscribed(f"customer {customer_key!r} has no subscription")
        subscription.ended_at = now
        subscription.save(update_fields=["ended_at"])
        end_in_account(account, now=now)
    return subscription
