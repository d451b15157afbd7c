"""Doing what is missing at Stripe. Stopped anywhere, it is simply done again: nothing is made twice."""

from datetime import datetime

from django.conf import settings

from billing.models import StripePrice
from billing.prices.changes import Change, changes, lookup_key, product_id
from billing.stripe import prices
from kernel.errors import Conflict
from plans.models import PlanVersion


class PlanNotAtStripe(Conflict):
    code = "plan_not_at_stripe"
    title = "The plan has no price at Stripe yet"


def apply(these: list[Change], now: datetime) -> None:
    """Do these changes. What Stripe has made and we have not noted is found by its lookup key the next time."""
    for change in these:
        _apply(change, now)


def price_of(version: PlanVersion) -> StripePrice:
    """The Stripe price of a plan version. Raises PlanNotAtStripe."""
    row = StripePrice.objects.filter(plan_version=version).exclude(price_id=None).first()
    if row is None:
        raise PlanNotAtStripe(f"{version} has no price at Stripe: run manage.py stripe_prices apply", field="plan")
    return row


def apply_all(now: datetime) -> list[Change]:
    """Bring Stripe up to the catalogue. Returns what was done."""
    these = changes()
    apply(these, now)
    return these


def offer_in_sandbox(now: datetime) -> list[Change]:
    """`apply_all` where Stripe is the stand-in, whose account nobody looks after; it is asked when something is new."""
    if not settings.STRIPE_API_BASE:
        return []
    unsold = PlanVersion.objects.filter(status=PlanVersion.Status.PUBLISHED, stripe_price=None)
    return apply_all(now) if unsold.exists() else []


def _apply(change: Change, now: datetime) -> None:
    if change.kind == "make_product":
        prices.create_product(product_id(change.plan), change.plan.name)
    elif change.kind == "name_product":
        prices.name_product(product_id(change.plan), change.plan.name)
    elif change.version is not None:
        _apply_price(change, change.version, now)


def _apply_price(change: Change, version: PlanVersion, now: datetime) -> None:
    row, _ = StripePrice.objects.get_or_create(
        plan_version=version,
        defaults={
            "product_id": product_id(version.plan),
            "lookup_key": lookup_key(version),
            "amount": version.price,
            "interval": version.interval,
            "created_at": now,
        },
    )
    if change.kind == "make_price":
        made = prices.create_price(
            lookup_key=row.lookup_key, product_id=row.product_id, amount=row.amount, interval=row.interval
        )
        row.price_id = made.id
    elif change.kind == "adopt_price":
        row.price_id = change.price_id
    else:
        prices.sell_by_price(change.price_id)
    row.save(update_fields=["price_id"])
