"""Invoice items (https://docs.stripe.com/api/invoiceitems): what goes on a customer's next invoice, or on a draft."""

from decimal import Decimal

from sandbox.errors import InvalidRequest, Obj
from sandbox.listing import page
from sandbox.money import checked_currency, rounded
from sandbox.objects.catalogue import price_from_data, unit_amount
from sandbox.objects.fields import merge_metadata, metadata, set_texts
from sandbox.objects.invoice_lines import Period, item_line, pricing, put_lines, sum_up
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.store import Where
from sandbox.world import World


@v1.post("/v1/invoiceitems")
def create(world: World, params: Params) -> Obj:
    customer = world.named("customer", params.needed("customer"), "customer")
    invoice = _draft(world, params, customer)
    subscription = params.text("subscription")
    if subscription is not None:
        world.named("subscription", subscription, "subscription")
    price, each, quantity = _asked(world, params)
    currency = checked_currency(params.text("currency") or (price or {}).get("currency") or "")
    if price is not None and price["currency"] != currency:
        raise InvalidRequest("The currency does not match the price's.", param="currency")
    if invoice is not None and invoice["currency"] != currency:
        raise InvalidRequest(f"The invoice is in {invoice['currency']}, not in {currency}.", param="currency")
    item = new_item(
        world,
        customer,
        amount=rounded(each * quantity),
        currency=currency,
        description=params.text("description") or (world.get("product", price["product"])["name"] if price else None),
        metadata=metadata(params),
        period=_period(world, params, customer),
        pricing=pricing(price, f"{each.normalize():f}") if price else None,
        quantity=quantity,
        subscription=subscription or (invoice["_subscription"] if invoice else None),
    )
    params.accept("discountable", "tax_behavior", "tax_code")
    if invoice is not None:
        item["invoice"] = invoice["id"]
        put_lines(invoice, [item_line(world, item)])
        sum_up(world, invoice)
        world.emit_updated("invoice.updated", invoice)
    return item


def new_item(
    world: World,
    customer: Obj,
    *,
    amount: int,
    currency: str,
    description: str | None,
    period: Period,
    pricing: Obj | None = None,
    quantity: int = 1,
    subscription: str | None = None,
    metadata: dict[str, str] | None = None,
    proration: bool = False,
) -> Obj:
    """An item that waits for an invoice. Negative amounts are credits."""
    now = world.now(customer)
    parent = {"type": "subscription_details", "subscription_details": {"subscription": subscription}}
    item = world.adopt(
        {
            "id": world.new_id("invoiceitem"),
            "object": "invoiceitem",
            "amount": amount,
            "currency": currency,
            "customer": customer["id"],
            "date": now,
            "description": description,
            "discountable": amount > 0 and not proration,
            "discounts": [],
            "invoice": None,
            "livemode": False,
            "metadata": metadata or {},
            "net_amount": amount,
            "parent": parent if subscription else None,
            "period": {"start": period.start, "end": period.end},
            "pricing": pricing,
            "proration": proration,
            "quantity": quantity,
            "quantity_decimal": str(quantity),
            "tax_rates": [],
            "test_clock": customer["test_clock"],
            "_subscription": subscription,
        }
    )
    world.emit("invoiceitem.created", item)
    return item


@v1.get("/v1/invoiceitems/{item}")
def retrieve(world: World, params: Params, item: str) -> Obj:
    return world.get("invoiceitem", item)


@v1.post("/v1/invoiceitems/{item}")
def update(world: World, params: Params, item: str) -> Obj:
    """Only what waits can still be changed here; a line on a draft is part of the draft."""
    found = _waiting(world, item)
    set_texts(found, params, "description")
    merge_metadata(found, params)
    if params.has("amount"):
        found["amount"] = found["net_amount"] = params.integer("amount") or 0
    return found


@v1.delete("/v1/invoiceitems/{item}")
def delete(world: World, params: Params, item: str) -> Obj:
    found = _waiting(world, item)
    found["deleted"] = True
    world.emit("invoiceitem.deleted", found)
    return {"id": item, "object": "invoiceitem", "deleted": True}


@v1.get("/v1/invoiceitems")
def list_all(world: World, params: Params) -> Obj:
    wheres = []
    if params.has("pending"):
        wheres.append(Where("invoice", "IS" if params.flag("pending") else "IS NOT", None))
    return page(world, params, "invoiceitem", "/v1/invoiceitems", equal=("customer", "invoice"), wheres=wheres)


def _asked(world: World, params: Params) -> tuple[Obj | None, Decimal, int]:
    """The price behind the item if there is one, what one costs, and how many."""
    quantity = params.integer("quantity")
    if params.has("amount"):
        if quantity is not None:
            raise InvalidRequest("You may only specify one of these parameters: amount, quantity.", param="quantity")
        return None, Decimal(params.integer("amount") or 0), 1
    quantity = 1 if quantity is None else quantity
    if params.has("price_data"):
        price = price_from_data(world, params.child("price_data"))
    elif params.child("pricing").has("price"):
        price = world.named("price", params.child("pricing").needed("price"), "pricing[price]")
    else:
        each = params.decimal("unit_amount_decimal")
        if each is None:
            raise InvalidRequest("One of amount, pricing, price_data or unit_amount_decimal is needed.", param="amount")
        return None, each, quantity
    if price["type"] != "one_time":
        raise InvalidRequest(
            "The price specified is set to `type=recurring` but this field only accepts one-time prices."
        )
    return price, unit_amount(price), quantity


def _period(world: World, params: Params, customer: Obj) -> Period:
    sent, now = params.child("period"), world.now(customer)
    if not params.has("period"):
        return Period(now, now)
    return Period(sent.integer("start") or now, sent.integer("end") or now)


def _draft(world: World, params: Params, customer: Obj) -> Obj | None:
    name = params.text("invoice")
    if name is None:
        return None
    invoice = world.named("invoice", name, "invoice")
    if invoice["status"] != "draft" or invoice["customer"] != customer["id"]:
        raise InvalidRequest("You can only add invoice items to the customer's own draft invoices.", param="invoice")
    return invoice


def _waiting(world: World, item: str) -> Obj:
    found = world.get("invoiceitem", item)
    if found.get("deleted") or found["invoice"] is not None:
        raise InvalidRequest("This invoice item is on an invoice, or deleted; it can no longer be changed.")
    return found
