"""Putting customers on plans, with or without a payment provider."""

from datetime import datetime

from django.db.models import Sum

from entitlements.core.timeline import end_subscription as end_in_account
from entitlements.core.timeline import start_subscription
from entitlements.models import CreditGrant, EntryKind, LedgerEntry, Subscription
from entitlements.services.accounts import opened_one
from kernel.errors import Conflict, NotFound
from kernel.recurrence import period_at
from plans.catalogue import Catalogue
from plans.models import PlanVersion


class PlanNotPublished(Conflict):
    code = "plan_not_published"
    title = "Only a published plan version can be subscribed to"


class NotSubscribed(NotFound):
    code = "not_subscribed"
    title = "The customer has no subscription"


def subscribe(
    customer_key: str,
    plan_version: PlanVersion,
    now: datetime,
    anchor: datetime | None = None,
    *,
    already_sold: bool = False,
) -> Subscription:
    """Put a customer on a plan version from `now`, ending the subscription they had.

    Being on that version already changes nothing. The anchor (default: the former subscription's,
    else now) fixes where billing periods start. What this period has burned of an allowance counts against the new
    plan's, so that changing there and back refills nothing. `already_sold`: a retired version will do, since it was paid
    for while it was on sale. Raises CustomerUnknown, PlanNotPublished.
    """
    with opened_one(customer_key, now=now) as (account, reference):
        terms = reference.catalogue.plans.get(plan_version.pk)
        if terms is None or not (already_sold or terms.status == "published"):
            raise PlanNotPublished(f"{plan_version} is not published", field="plan")
        former = Subscription.objects.filter(customer_id=account.customer_id, ended_at=None).first()
        if former is not None:
            if former.plan_version_id == plan_version.pk and anchor in {None, former.anchor}:
                return former
            former.ended_at = now
            former.save(update_fields=["ended_at"])
        used = _used_this_period(account.customer_id, reference.catalogue, now)
        anchor = anchor or (former.anchor if former else now)
        subscription = Subscription.objects.create(
            customer_id=account.customer_id, plan_version=plan_version, anchor=anchor, started_at=now
        )
        start_subscription(account, terms, subscription_id=subscription.pk, anchor=anchor, now=now, used=used)
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


def _used_this_period(customer_id: int, catalogue: Catalogue, now: datetime) -> int:
    """Microcredits burned of allowances since the latest subscription's current allowance period began."""
    latest = Subscription.objects.filter(customer_id=customer_id, started_at__lte=now).order_by("-started_at", "-pk").first()
    if latest is None:
        return 0
    terms = catalogue.plans.get(latest.plan_version_id)
    renewal = terms.allowance_renewal if terms else "never"
    since = latest.anchor if renewal == "never" else period_at(latest.anchor, renewal, now)[0]
    grants = CreditGrant.objects.filter(
        customer_id=customer_id, source__in=("allowance", "rollover"), effective_at__gte=since
    ).values_list("id", flat=True)
    burned = LedgerEntry.objects.filter(
        customer_id=customer_id, kind=EntryKind.BURN, grant_id__in=list(grants)
    ).aggregate(sum=Sum("amount_microcredits"))["sum"]
    return -(burned or 0)
