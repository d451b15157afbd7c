"""Invoices (https://docs.stripe.com/api/invoices) and what paid them (/api/invoice-payment)."""

from sandbox.errors import InvalidRequest, Obj
from sandbox.listing import listed, page, slice_of
from sandbox.money import checked_currency
from sandbox.objects import invoicing, lifecycle, payments
from sandbox.objects.fields import merge_metadata, metadata, set_texts
from sandbox.objects.invoice_lines import Period
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.store import Where
from sandbox.world import World


@v1.post("/v1/invoices")
def create(world: World, params: Params) -> Obj:
    customer = world.named("customer", params.needed("customer"), "customer")
    named = params.text("subscription")
    subscription = world.named("subscription", named, "subscription") if named else None
    now = world.now(customer)
    currency = params.text("currency") or (subscription and subscription["currency"]) or customer["currency"] or "usd"
    method = params.text("collection_method") or "charge_automatically"
    days = params.integer("days_until_due")
    if (method == "send_invoice") != (days is not None or params.has("due_date")):
        raise InvalidRequest("`days_until_due` or `due_date` belongs to `collection_method=send_invoice`.")
    invoice = invoicing.draft(
        world,
        customer,
        currency=checked_currency(currency),
        billing_reason="manual",
        period=Period(now, now),
        subscription=subscription,
        auto_advance=params.flag("auto_advance"),
        collection_method=method,
        due_date=params.integer("due_date") if days is None else now + days * invoicing.DAY,
        metadata=metadata(params),
        description=params.text("description"),
        footer=params.text("footer"),
    )
    if params.has("default_payment_method"):
        chosen = invoicing.usable_method(world, params.needed("default_payment_method"), customer)
        invoice["default_payment_method"] = chosen["id"]
    invoice["automatic_tax"]["enabled"] = params.child("automatic_tax").flag("enabled")
    takes = params.choice("pending_invoice_items_behavior", "exclude", ("include", "exclude"))
    if takes == "include":
        invoicing.take_pending_items(world, invoice)
    world.emit("invoice.created", invoice)
    return invoice


@v1.get("/v1/invoices/{invoice}")
def retrieve(world: World, params: Params, invoice: str) -> Obj:
    return world.get("invoice", invoice)


@v1.post("/v1/invoices/{invoice}")
def update(world: World, params: Params, invoice: str) -> Obj:
    found = world.get("invoice", invoice)
    if found["status"] != "draft" and set(params.tree) - {
        "metadata",
        "auto_advance",
        "default_payment_method",
        "expand",
    }:
        raise InvalidRequest("Finalized invoices can't be updated in this way", code="invoice_not_editable")
    set_texts(found, params, "description", "footer")
    merge_metadata(found, params)
    if params.has("auto_advance"):
        found["auto_advance"] = params.flag("auto_advance")
    if params.has("default_payment_method"):
        customer = world.get("customer", found["customer"])
        found["default_payment_method"] = invoicing.usable_method(
            world, params.needed("default_payment_method"), customer
        )["id"]
    invoicing.schedule(world, found)
    world.emit_updated("invoice.updated", found)
    return found


@v1.delete("/v1/invoices/{invoice}")
def delete(world: World, params: Params, invoice: str) -> Obj:
    """A one-off draft goes; invoice items it had taken wait again."""
    found = world.get("invoice", invoice)
    if found["status"] != "draft" or found["_subscription"]:
        raise InvalidRequest("You can only delete draft invoices that are not for a subscription.")
    for item in world.store.find("invoiceitem", invoice=invoice):
        item["invoice"] = None
    found.update(deleted=True, _due=None)
    world.emit("invoice.deleted", found)
    return {"id": invoice, "object": "invoice", "deleted": True}


@v1.post("/v1/invoices/{invoice}/finalize")
def finalize(world: World, params: Params, invoice: str) -> Obj:
    """With `auto_advance` it is then charged, as soon as this request is answered."""
    found = world.get("invoice", invoice)
    if params.has("auto_advance"):
        found["auto_advance"] = params.flag("auto_advance")
    invoicing.finalize(world, found)
    if found["auto_advance"] and found["status"] == "open" and found["collection_method"] == "charge_automatically":
        found["next_payment_attempt"] = world.now(found)
        invoicing.schedule(world, found)
    lifecycle.follow_invoice(world, found)
    return found


@v1.post("/v1/invoices/{invoice}/pay")
def pay(world: World, params: Params, invoice: str) -> Obj:
    found = world.get("invoice", invoice)
    params.flag("off_session")
    name = params.text("payment_method")
    out_of_band = params.flag("paid_out_of_band")
    if found["status"] == "draft":
        invoicing.finalize(world, found)
    if found["status"] == "paid":
        if found["amount_due"]:
            raise InvalidRequest("Invoice is already paid", code="invoice_already_paid")
        return found
    if out_of_band:
        invoicing.mark_paid(world, found, out_of_band=True)
        lifecycle.follow_invoice(world, found)
        return found
    customer = world.get("customer", found["customer"])
    method = invoicing.usable_method(world, name, customer) if name else invoicing.default_method(world, found)
    if method is None:
        raise InvalidRequest(
            "There is no default_payment_method set on this Customer or Invoice. Please set a default_payment_method.",
            code="invoice_no_payment_method_types",
        )
    decline = invoicing.attempt(world, found, method)
    lifecycle.follow_invoice(world, found)
    intent = world.get("payment_intent", found["_intent"])
    if decline is not None:
        raise payments.card_error(intent, decline)
    if intent["status"] == "requires_action":
        raise payments.action_error(intent)
    return found


@v1.post("/v1/invoices/{invoice}/void")
def void(world: World, params: Params, invoice: str) -> Obj:
    found = world.get("invoice", invoice)
    invoicing.void(world, found)
    lifecycle.follow_invoice(world, found)
    return found


@v1.post("/v1/invoices/{invoice}/mark_uncollectible")
def mark_uncollectible(world: World, params: Params, invoice: str) -> Obj:
    found = world.get("invoice", invoice)
    invoicing.mark_uncollectible(world, found)
    lifecycle.follow_invoice(world, found)
    return found


@v1.post("/v1/invoices/{invoice}/send")
def send(world: World, params: Params, invoice: str) -> Obj:
    found = world.get("invoice", invoice)
    if found["status"] == "draft":
        invoicing.finalize(world, found)
    world.emit("invoice.sent", found)
    return found


@v1.get("/v1/invoices")
def list_all(world: World, params: Params) -> Obj:
    wheres = []
    if params.has("subscription"):
        wheres.append(Where("_subscription", "IS", params.text("subscription")))
    equal = ("customer", "status", "collection_method")
    return page(world, params, "invoice", "/v1/invoices", equal=equal, dated=("created", "due_date"), wheres=wheres)


@v1.get("/v1/invoices/{invoice}/lines")
def list_lines(world: World, params: Params, invoice: str) -> Obj:
    return slice_of(params, world.get("invoice", invoice)["lines"]["data"], f"/v1/invoices/{invoice}/lines")


@v1.get("/v1/invoice_payments/{payment}")
def retrieve_payment(world: World, params: Params, payment: str) -> Obj:
    return world.get("invoice_payment", payment)


@v1.get("/v1/invoice_payments")
def list_payments(world: World, params: Params) -> Obj:
    sent = params.child("payment")
    wheres = []
    if params.has("payment"):
        sent.choice("type", "payment_intent", ("payment_intent",))
        wheres.append(Where("payment.payment_intent", "IS", sent.needed("payment_intent")))
    url = "/v1/invoice_payments"
    return page(world, params, "invoice_payment", url, equal=("invoice", "status"), wheres=wheres)


def payments_of(world: World, invoice: Obj) -> Obj:
    """An invoice's ``payments``, shown when expanded."""
    return listed(
        world.store.find("invoice_payment", invoice=invoice["id"]), f"/v1/invoice_payments?invoice={invoice['id']}"
    )


def confirmation_secret_of(world: World, invoice: Obj) -> Obj | None:
    """An open invoice's ``confirmation_secret``, shown when expanded: what a page needs to have it paid."""
    kept = world.get("invoice", invoice["id"])
    if kept["_intent"] is None:
        return None
    secret = world.get("payment_intent", kept["_intent"])["client_secret"]
    return {"client_secret": secret, "type": "payment_intent"}
