"""Customers (https://docs.stripe.com/api/customers)."""

from sandbox.errors import InvalidRequest, Obj
from sandbox.listing import page
from sandbox.objects import payment_methods
from sandbox.objects.fields import address, merge_metadata, set_texts
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.world import World


@v1.post("/v1/customers")
def create(world: World, params: Params) -> Obj:
    clock = params.text("test_clock")
    if clock is not None:
        world.named("test_helpers.test_clock", clock, "test_clock")
    customer = new_customer(world, test_clock=clock)
    _read(world, customer, params)
    if params.has("payment_method"):
        method = payment_methods.usable(world, params.needed("payment_method"))
        payment_methods.attach(world, method, customer)
    _read_invoice_settings(world, customer, params)
    world.emit("customer.created", customer)
    return customer


def new_customer(world: World, *, test_clock: str | None = None, email: str | None = None) -> Obj:
    """A customer nothing is known of; the caller tells that it was created."""
    number = world.store.count("invoice_prefix")
    return world.new(
        "customer",
        {"test_clock": test_clock},
        address=None,
        balance=0,
        currency=None,
        default_source=None,
        delinquent=False,
        description=None,
        discount=None,
        email=email,
        invoice_prefix=world.secret(f"invoice prefix {number}", 8).upper(),
        invoice_settings={
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        metadata={},
        name=None,
        next_invoice_sequence=1,
        phone=None,
        preferred_locales=[],
        shipping=None,
        tax_exempt="none",
        test_clock=test_clock,
    )


@v1.get("/v1/customers/{customer}")
def retrieve(world: World, params: Params, customer: str) -> Obj:
    found = world.get("customer", customer)
    return tombstone(found) if found.get("deleted") else found


@v1.post("/v1/customers/{customer}")
def update(world: World, params: Params, customer: str) -> Obj:
    found = world.named("customer", customer, "customer")
    _read(world, found, params)
    _read_invoice_settings(world, found, params)
    world.emit_updated("customer.updated", found)
    return found


@v1.get("/v1/customers")
def list_all(world: World, params: Params) -> Obj:
    return page(world, params, "customer", "/v1/customers", equal=("email", "test_clock"))


def tombstone(customer: Obj) -> Obj:
    """What is left of a deleted customer."""
    return {"id": customer["id"], "object": "customer", "deleted": True}


def _read(world: World, customer: Obj, params: Params) -> None:
    set_texts(customer, params, "email", "name", "phone", "description", "tax_exempt")
    merge_metadata(customer, params)
    params.accept("preferred_locales", "tax")
    customer["tax_exempt"] = customer["tax_exempt"] or "none"
    if params.has("address"):
        customer["address"] = address(params)
    if params.has("balance"):
        customer["balance"] = params.integer("balance") or 0


def _read_invoice_settings(world: World, customer: Obj, params: Params) -> None:
    sent = params.child("invoice_settings")
    if not sent.has("default_payment_method"):
        return
    chosen = sent.text("default_payment_method")
    if chosen is not None:
        method = payment_methods.usable(world, chosen)
        if method["customer"] != customer["id"]:
            raise InvalidRequest(
                f"The customer does not have a payment method with the ID {chosen}. The payment method must be "
                "attached to the customer.",
                code="resource_missing",
                param="invoice_settings[default_payment_method]",
            )
        chosen = method["id"]
    customer["invoice_settings"]["default_payment_method"] = chosen
