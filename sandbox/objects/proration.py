"""Changing what a subscription consists of in the middle of a period (https://docs.stripe.com/billing/subscriptions/prorations)."""

from copy import deepcopy
from fractions import Fraction
from typing import NamedTuple

from sandbox.errors import InvalidRequest, NotSimulated, Obj
from sandbox.money import rounded
from sandbox.objects.catalogue import offered_price, unit_amount
from sandbox.objects.fields import merge_metadata, metadata
from sandbox.objects.invoice_lines import Period, pricing
from sandbox.objects.invoiceitems import new_item
from sandbox.params import Params
from sandbox.render import public
from sandbox.world import World


class Change(NamedTuple):
    """An item before and after; None where it was added or removed."""

    before: Obj | None
    after: Obj | None

    @property
    def matters(self) -> bool:
        """Whether it changes what is paid."""
        return self.before is None or self.after is None or _asked(self.before) != _asked(self.after)


def share_left(period: Period, at: int) -> Fraction:
    """How much of the period is still to come."""
    return Fraction(period.end - at, period.end - period.start)


def read_item(world: World, subscription_id: str, sent: Params) -> Obj:
    """A new item from ``items[n]``; its period is set by the caller."""
    price, quantity = offered_price(world, sent), sent.integer("quantity")
    if price["recurring"] is None:
        raise InvalidRequest(
            "The price specified is set to `type=one_time` but this field only accepts recurring prices."
        )
    if quantity is not None and quantity < 0:
        raise InvalidRequest("This value must be greater than or equal to 0.", param=sent.path("quantity"))
    return new_subscription_item(
        world, subscription_id, price, 1 if quantity is None else quantity, metadata=metadata(sent)
    )


def new_subscription_item(
    world: World, subscription_id: str, price: Obj, quantity: int, *, metadata: dict[str, str] | None = None
) -> Obj:
    """An item whose period is set by the caller."""
    return {
        "id": world.new_id("subscription_item"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": world.now(),
        "current_period_end": 0,
        "current_period_start": 0,
        "discounts": [],
        "metadata": metadata or {},
        "price": public(price),
        "quantity": quantity,
        "subscription": subscription_id,
        "tax_rates": [],
    }


def read_changes(world: World, subscription: Obj, sent: list[Params]) -> list[Change]:
    """What ``items`` asks for; an item without an id is a new one, as at Stripe."""
    existing = {item["id"]: item for item in subscription["items"]["data"]}
    changes = []
    for one in sent:
        name = one.text("id")
        if name is None:
            added = read_item(world, subscription["id"], one)
            first = subscription["items"]["data"][0]
            for edge in ("current_period_start", "current_period_end"):
                added[edge] = first[edge]
            changes.append(Change(None, added))
            continue
        if name not in existing:
            raise InvalidRequest(f"No such subscription item: '{name}'", code="resource_missing", param=one.path("id"))
        before = existing.pop(name)
        changes.append(Change(deepcopy(before), None if one.flag("deleted") else _changed(world, before, one)))
    return changes


def apply(subscription: Obj, changes: list[Change]) -> None:
    """Put the changes in place. All items must be billed at the same interval."""
    replaced = {change.before["id"]: change.after for change in changes if change.before is not None}
    kept = [replaced.get(item["id"], item) for item in subscription["items"]["data"]]
    added = [change.after for change in changes if change.before is None]
    items = [item for item in (*kept, *added) if item is not None]
    if not items:
        raise InvalidRequest("A subscription must have at least one active plan.", param="items")
    check_items(items)
    subscription["items"]["data"] = items


def check_items(items: list[Obj]) -> None:
    intervals = {tuple(item["price"]["recurring"][name] for name in ("interval", "interval_count")) for item in items}
    if len(intervals) > 1:
        raise NotSimulated("The sandbox does not simulate subscriptions whose items have different intervals.")
    if len({item["price"]["currency"] for item in items}) > 1:
        raise InvalidRequest("All prices on a subscription must have the same currency.", param="items")


def charge_difference(
    world: World, subscription: Obj, changes: list[Change], period: Period, at: int, *, whole: bool
) -> None:
    """Waiting invoice items: a credit for unused time at the old price, and the rest of the period at the new one.

    `whole`: the period starts anew, so that only the credits are due; the new price comes as an ordinary line.
    """
    left = share_left(period, at)
    for change in changes:
        if change.matters and change.before is not None:
            _item(world, subscription, change.before, period, at, sign=-1, left=left)
        if change.matters and change.after is not None and not whole:
            _item(world, subscription, change.after, period, at, sign=1, left=left)


def _item(world: World, subscription: Obj, item: Obj, period: Period, at: int, *, sign: int, left: Fraction) -> None:
    price = item["price"]
    product = world.get("product", price["product"])
    amount = sign * rounded(Fraction(_asked(item)) * left)
    words = "Remaining time on" if sign > 0 else "Unused time on"
    new_item(
        world,
        world.get("customer", subscription["customer"]),
        amount=amount,
        currency=price["currency"],
        description=f"{words} {item['quantity']} × {product['name']}",
        period=Period(at, period.end),
        pricing=pricing(price, str(amount)),
        quantity=item["quantity"],
        subscription=subscription["id"],
        proration=True,
    )


def _changed(world: World, before: Obj, sent: Params) -> Obj:
    after = deepcopy(before)
    if sent.has("price") or sent.has("price_data"):
        price = offered_price(world, sent)
        if price["recurring"] is None:
            raise InvalidRequest(
                "The price specified is set to `type=one_time` but this field only accepts recurring prices."
            )
        after["price"] = public(price)
    if sent.has("quantity"):
        after["quantity"] = sent.integer("quantity")
    merge_metadata(after, sent)
    return after


def _asked(item: Obj) -> Fraction:
    return Fraction(unit_amount(item["price"]) * item["quantity"])
