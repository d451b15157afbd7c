"""What Stripe lacks of the published catalogue."""

from typing import Literal

import msgspec
from moneyed import Money

from billing.models import StripePrice
from billing.stripe import prices
from billing.stripe.amounts import NotChargeable, to_minor
from kernel.errors import Conflict
from plans.models import Plan, PlanVersion

PREFIX = "weir"
"""How our products and prices begin, so that an account may hold others beside them."""


class PriceDiffers(Conflict):
    code = "stripe_price_differs"
    title = "Stripe has another price under our name for this plan version"


class PriceNotChargeable(Conflict):
    code = "price_not_chargeable"
    title = "Stripe cannot charge this price exactly"


class Change(msgspec.Struct, frozen=True):
    """One thing to do at Stripe, or here: `what` says it to a person."""

    kind: Literal["make_product", "name_product", "make_price", "adopt_price", "sell"]
    plan: Plan
    version: PlanVersion | None
    price_id: str
    what: str


def product_id(plan: Plan) -> str:
    """The id we choose for a plan's product."""
    return f"{PREFIX}-{plan.key}"


def lookup_key(version: PlanVersion) -> str:
    """The name we give a version's price."""
    return f"{PREFIX}:{version.plan.key}:v{version.number}"


def changes() -> list[Change]:
    """What applying would do, in order; nothing when Stripe has it all. Raises PriceDiffers, PriceNotChargeable.

    Published versions are to be sold. Retired ones keep their price: subscribers pay by it, or go back to it.
    """
    versions = list(
        PlanVersion.objects.exclude(status=PlanVersion.Status.DRAFT)
        .select_related("plan", "stripe_price")
        .order_by("plan__key", "number")
    )
    sold = [version for version in versions if version.status == PlanVersion.Status.PUBLISHED]
    known = [version for version in versions if version in sold or hasattr(version, "stripe_price")]
    there = prices.prices_named([lookup_key(version) for version in known])
    plans = {version.plan_id: version.plan for version in sold}
    return [
        *(change for plan in plans.values() for change in _product_changes(plan)),
        *(change for version in known for change in _price_changes(version, there.get(lookup_key(version)))),
    ]


def _product_changes(plan: Plan) -> list[Change]:
    seen = prices.product(product_id(plan))
    if seen is None:
        return [Change("make_product", plan, None, "", f"+ product {product_id(plan)}: {plan.name}")]
    if seen.name != plan.name or not seen.active:
        return [Change("name_product", plan, None, "", f"~ product {product_id(plan)}: {seen.name} → {plan.name}")]
    return []


def _price_changes(version: PlanVersion, seen: prices.PriceSeen | None) -> list[Change]:
    key, sells = lookup_key(version), version.status == PlanVersion.Status.PUBLISHED
    said = f"{_money(version.price)} every {version.interval}"
    if seen is None:
        _check_chargeable(version)
        return [Change("make_price", version.plan, version, "", f"+ price   {key}: {said}")] if sells else []
    if (seen.amount, seen.interval, seen.interval_count, seen.product) != (
        version.price,
        version.interval,
        1,
        product_id(version.plan),
    ):
        raise PriceDiffers(f"{key} is {said} here, and {seen.id} at Stripe is another: rename that one's lookup key")
    found: list[Change] = []
    row: StripePrice | None = getattr(version, "stripe_price", None)
    if row is None or row.price_id != seen.id:
        found.append(Change("adopt_price", version.plan, version, seen.id, f"= price   {key}: is {seen.id} already"))
    if sells and not seen.active:
        found.append(Change("sell", version.plan, version, seen.id, f"~ price   {key}: is sold again"))
    return found


def _check_chargeable(version: PlanVersion) -> None:
    try:
        to_minor(version.price)
    except NotChargeable as error:
        raise PriceNotChargeable(f"{version}: {error}", field="price") from None


def _money(money: Money) -> str:
    return f"{money.amount.normalize():f} {money.currency}"
