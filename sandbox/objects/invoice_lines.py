"""The lines of an invoice, and what they add up to."""

from decimal import Decimal
from typing import NamedTuple

from sandbox.errors import Obj
from sandbox.money import rounded
from sandbox.objects.catalogue import unit_amount
from sandbox.world import World


class Period(NamedTuple):
    """Seconds since the epoch; the end is not part of it."""

    start: int
    end: int


def subscription_line(
    world: World,
    subscription: Obj,
    item: Obj,
    *,
    period: Period,
    amount: int | None = None,
    description: str | None = None,
) -> Obj:
    """What one item of a subscription costs for a period; a free trial is the same line for nothing."""
    price, quantity = item["price"], item["quantity"]
    product = world.get("product", price["product"])
    asked = rounded(unit_amount(price) * quantity) if amount is None else amount
    details = {
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": subscription["id"],
        "subscription_item": item["id"],
    }
    return _line(
        world,
        amount=asked,
        currency=price["currency"],
        description=description or f"{quantity} × {product['name']}",
        metadata=dict(subscription["metadata"]),
        parent={
            "type": "subscription_item_details",
            "subscription_item_details": details,
            "invoice_item_details": None,
        },
        period=period,
        pricing=pricing(price),
        quantity=quantity,
        subscription=subscription["id"],
    )


def item_line(world: World, item: Obj) -> Obj:
    """An invoice item as a line; the item then belongs to the invoice."""
    details = {
        "invoice_item": item["id"],
        "proration": item["proration"],
        "proration_details": {"credited_items": None},
        "subscription": item["_subscription"],
    }
    return _line(
        world,
        amount=item["amount"],
        currency=item["currency"],
        description=item["description"],
        metadata=dict(item["metadata"]),
        parent={"type": "invoice_item_details", "invoice_item_details": details, "subscription_item_details": None},
        period=Period(**item["period"]),
        pricing=item["pricing"],
        quantity=item["quantity"],
        subscription=item["_subscription"],
    )


def pricing(price: Obj | None, unit_amount_decimal: str | None = None) -> Obj | None:
    """Where an amount comes from, as lines and items tell it."""
    if price is None:
        return None
    return {
        "type": "price_details",
        "price_details": {"price": price["id"], "product": price["product"]},
        "unit_amount_decimal": unit_amount_decimal or price["unit_amount_decimal"],
    }


def put_lines(invoice: Obj, lines: list[Obj]) -> None:
    """Add lines to a draft; the caller sums it up afterwards."""
    for line in lines:
        line["invoice"] = invoice["id"]
    invoice["lines"]["data"] += lines


def sum_up(world: World, invoice: Obj) -> None:
    """Bring the totals of a draft in line with its lines, and with what the customer's balance gives or takes."""
    percent = world.settings.tax_percent if invoice["automatic_tax"]["enabled"] else 0
    for line in invoice["lines"]["data"]:
        line["taxes"] = taxes(line["amount"], percent)
    subtotal = sum(line["amount"] for line in invoice["lines"]["data"])
    tax = sum(part["amount"] for line in invoice["lines"]["data"] for part in line["taxes"])
    total = subtotal + tax
    due = max(0, total + world.get("customer", invoice["customer"])["balance"])
    invoice.update(
        subtotal=subtotal,
        subtotal_excluding_tax=subtotal,
        total=total,
        total_excluding_tax=subtotal,
        total_taxes=taxes(subtotal, percent, tax),
        amount_due=due,
        amount_remaining=due,
    )


def taxes(amount: int, percent: int, tax: int | None = None) -> list[Obj]:
    """Tax on top of an amount, at the sandbox's one rate."""
    if percent == 0:
        return []
    return [
        {
            "amount": rounded(Decimal(amount * percent) / 100) if tax is None else tax,
            "tax_behavior": "exclusive",
            "tax_rate_details": {"tax_rate": f"txr_sandbox_{percent}"},
            "taxability_reason": "standard_rated",
            "taxable_amount": amount,
            "type": "tax_rate_details",
        }
    ]


def _line(world: World, *, amount: int, period: Period, quantity: int, **fields: object) -> Obj:
    return {
        "id": world.new_id("line_item"),
        "object": "line_item",
        "amount": amount,
        "discount_amounts": [],
        "discountable": amount > 0,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "period": {"start": period.start, "end": period.end},
        "pretax_credit_amounts": [],
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subtotal": amount,
        "taxes": [],
        **fields,
    }
