"""Putting customers on plans, with or without a payment provider."""

from datetime import datetime
from typing import Literal

from django.db.models import QuerySet, Sum

from entitlements.core.timeline import end_subscription as end_in_account
from entitlements.core.timeline import start_subscription
from entitlements.models import CreditGrant, EntryKind, LedgerEntry, Subscription
from entitlements.services.accounts import opened_one
from kernel.errors import Conflict, NotFound
from kernel.recurrence import period_at
from plans.catalogue import Catalogue
from plans.models import PlanVersion

Paid = Literal["nothing", "rest", "all"]
"""Of a new period: nothing (the former one goes on), all of it less the rest of the former one, which is given back by
time, or all of it."""


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
    paid: Paid = "nothing",
) -> Subscription:
    """Put a customer on a plan version from `now`, ending the subscription they had.

    Being on that version already changes nothing. The anchor (default: the former subscription's,
    else now) fixes where billing periods start. What this period has burned of an allowance counts against the new
    plan's, so that changing there and back refills nothing. `already_sold`: a retired version will do, since it was
    paid for while it was on sale. `paid` is what is charged for the new period beside what the former one cost: then
    less of what was used, or nothing of it, counts against it. Raises CustomerUnknown, PlanNotPublished.
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
        used = 0 if paid == "all" else _used_this_period(account.customer_id, reference.catalogue, now, paid)
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


def _used_this_period(customer_id: int, catalogue: Catalogue, now: datetime, paid: Paid) -> int:
    """Microcredits used of allowances since the latest subscription's current allowance period began.

    Where the rest of that period is given back, only what was used ahead of its time counts.
    """
    begun = Subscription.objects.filter(customer_id=customer_id, started_at__lte=now)
    latest = begun.order_by("-started_at", "-pk").first()
    terms = catalogue.plans.get(latest.plan_version_id) if latest else None
    if latest is None or terms is None:
        return 0
    since, until = latest.anchor, None
    if terms.allowance_renewal != "never":
        since, until = period_at(latest.anchor, terms.allowance_renewal, now)
    allowances = CreditGrant.objects.filter(
        customer_id=customer_id, source__in=("allowance", "rollover"), effective_at__gte=since
    )
    used = _burned(customer_id, allowances)
    if latest.started_at >= since:
        # It began with less for what was used before, perhaps in a period counted from another anchor.
        own = allowances.filter(subscription_id=latest.pk)
        first = own.filter(source="allowance").aggregate(sum=Sum("amount_microcredits"))["sum"] or 0
        used = max(used, terms.included_microcredits - first + _burned(customer_id, own))
    due = 0
    if paid == "rest" and until is not None:
        due = terms.included_microcredits * int((now - since).total_seconds()) // int((until - since).total_seconds())
    return max(0, used - due)


def _burned(customer_id: int, grants: "QuerySet[CreditGrant]") -> int:
    ids = list(grants.values_list("id", flat=True))
    burns = LedgerEntry.objects.filter(customer_id=customer_id, kind=EntryKind.BURN, grant_id__in=ids)
    return -(burns.aggregate(sum=Sum("amount_microcredits"))["sum"] or 0)
