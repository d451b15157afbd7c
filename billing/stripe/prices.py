"""Products and prices (https://docs.stripe.com/api/prices)."""

import msgspec
from moneyed import Money

from billing.stripe.amounts import from_minor, to_minor
from billing.stripe.client import asking, mutation, plain
from billing.stripe.errors import Gone


class ProductSeen(msgspec.Struct, frozen=True):
    """A product as Stripe shows it."""

    id: str
    name: str
    active: bool


class PriceSeen(msgspec.Struct, frozen=True):
    """A recurring price as Stripe shows it: so many `interval_count` of `interval`, which is month or year."""

    id: str
    product: str
    lookup_key: str
    amount: Money | None
    interval: str
    interval_count: int
    active: bool


def product(product_id: str) -> ProductSeen | None:
    """The product of that id; None where there is none."""
    try:
        with asking() as stripe:
            found = plain(stripe.v1.products.retrieve(product_id))
    except Gone:
        return None
    return None if found.get("deleted") else ProductSeen(found["id"], found["name"], found["active"])


def create_product(product_id: str, name: str) -> None:
    """A product of an id that we choose: there cannot be two of it."""
    with asking() as stripe:
        stripe.v1.products.create({"id": product_id, "name": name}, mutation(f"product:{product_id}:{name}"))


def name_product(product_id: str, name: str) -> None:
    """Call a product otherwise. Subscribers see it on their next invoice."""
    with asking() as stripe:
        stripe.v1.products.update(product_id, {"name": name, "active": True})


def prices_named(lookup_keys: list[str]) -> dict[str, PriceSeen]:
    """The prices of these lookup keys, by lookup key."""
    found: dict[str, PriceSeen] = {}
    for start in range(0, len(lookup_keys), 10):  # Stripe takes ten at a time.
        with asking() as stripe:
            page = stripe.v1.prices.list({"lookup_keys": lookup_keys[start : start + 10], "limit": 100})
        for one in page.data:
            price = _price(plain(one))
            found[price.lookup_key] = price
    return found


def create_price(*, lookup_key: str, product_id: str, amount: Money, interval: str) -> PriceSeen:
    """A price for a plan version, once per lookup key. Raises NotChargeable."""
    with asking() as stripe:
        made = stripe.v1.prices.create(
            {
                "product": product_id,
                "currency": str(amount.currency).lower(),
                "unit_amount": to_minor(amount),
                "recurring": {"interval": interval},
                "lookup_key": lookup_key,
                "metadata": {"plan_version": lookup_key},
            },
            mutation(f"price:{lookup_key}"),
        )
    return _price(plain(made))


def sell_by_price(price_id: str) -> None:
    """Let subscriptions take the price again: somebody had archived it at Stripe."""
    with asking() as stripe:
        stripe.v1.prices.update(price_id, {"active": True})


def _price(raw: dict[str, object]) -> PriceSeen:
    unit, recurring = raw["unit_amount"], raw["recurring"]
    period = recurring if isinstance(recurring, dict) else {}
    return PriceSeen(
        id=str(raw["id"]),
        product=str(raw["product"]),
        lookup_key=str(raw["lookup_key"]),
        amount=from_minor(unit, str(raw["currency"])) if isinstance(unit, int) else None,
        interval=str(period.get("interval", "")),
        interval_count=int(period.get("interval_count", 0)),
        active=bool(raw["active"]),
    )
