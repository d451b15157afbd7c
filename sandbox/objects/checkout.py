"""Checkout sessions (https://docs.stripe.com/api/checkout/sessions): what is for sale, and where it is paid."""

from typing import Any

from sandbox.errors import InvalidRequest, NotSimulated, Obj
from sandbox.listing import listed, page, slice_of
from sandbox.money import check_charge, checked_currency, rounded
from sandbox.objects import proration, subscribing
from sandbox.objects.catalogue import offered_price, unit_amount
from sandbox.objects.checkout_completion import expire_session
from sandbox.objects.fields import merge_metadata, metadata
from sandbox.objects.invoice_lines import taxes
from sandbox.params import Params
from sandbox.render import public
from sandbox.routes import v1
from sandbox.store import Where
from sandbox.world import World

_MODES = ("payment", "setup", "subscription")
_LOOKS = [
    "adaptive_pricing",
    "billing_address_collection",
    "branding_settings",
    "consent_collection",
    "custom_text",
    "locale",
    "origin_context",
    "payment_method_options",
    "phone_number_collection",
    "submit_type",
    "tax_id_collection",
    "wallet_options",
    "customer_update",
    "saved_payment_method_options",
]
"""How the real page looks, and what it asks beside the payment: nothing of it changes what is bought."""


@v1.post("/v1/checkout/sessions")
def create(world: World, params: Params) -> Obj:
    mode = params.choice("mode", "", _MODES)
    named = params.text("customer")
    customer = world.named("customer", named, "customer") if named else None
    if customer is not None and params.has("customer_email"):
        raise InvalidRequest("You may only specify one of these parameters: customer, customer_email.")
    params.choice("ui_mode", "hosted_page", ("hosted_page",))
    params.accept(*_LOOKS)
    params.flag("allow_promotion_codes")
    taxed = params.child("automatic_tax").flag("enabled")
    items = [_item(world, mode, one, taxed=taxed) for one in params.children("line_items")]
    currency = _currency(params, items)
    _check_mode(world, mode, params, items, currency)
    now = world.now(customer)
    expires = params.integer("expires_at") or now + 86400
    if not now + 1800 <= expires <= now + 86400:
        raise InvalidRequest(
            "The `expires_at` timestamp must be from 30 minutes to 24 hours from now.", param="expires_at"
        )
    identifier = world.new_id("checkout.session")
    session: Obj = {
        "id": identifier,
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": params.flag("allow_promotion_codes") if params.has("allow_promotion_codes") else None,
        "automatic_tax": {
            "enabled": taxed,
            "liability": {"type": "self"} if taxed else None,
            "provider": "stripe" if taxed else None,
            "status": "complete" if taxed else None,
        },
        "billing_address_collection": None,
        "cancel_url": params.text("cancel_url"),
        "client_reference_id": params.text("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        "customer": named,
        "customer_creation": _customer_creation(mode, params),
        "customer_details": None,
        "customer_email": params.text("customer_email"),
        "discounts": [],
        "expires_at": expires,
        "invoice": None,
        "invoice_creation": _invoice_creation(mode, params),
        "livemode": False,
        "locale": None,
        "metadata": metadata(params),
        "mode": mode,
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": params.text("payment_method_collection") or "always",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": params.texts("payment_method_types") or ["card"],
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": params.needed("success_url"),
        "ui_mode": "hosted_page",
        "url": f"{world.base_url}/pay/{identifier}",
        "wallet_options": None,
        "_items": items,
        "_intent_data": _payment_intent_data(params),
        "_setup_data": _setup_intent_data(params),
        "_subscription_data": _subscription_data(world, params, customer),
        "_subscription": None,
        "_due": expires,
    }
    return world.adopt(session | world.basics("checkout.session", customer) | _totals(mode, items, session))


@v1.get("/v1/checkout/sessions/{session}")
def retrieve(world: World, params: Params, session: str) -> Obj:
    return world.get("checkout.session", session)


@v1.post("/v1/checkout/sessions/{session}")
def update(world: World, params: Params, session: str) -> Obj:
    found = world.get("checkout.session", session)
    merge_metadata(found, params)
    return found


@v1.post("/v1/checkout/sessions/{session}/expire")
def expire(world: World, params: Params, session: str) -> Obj:
    found = world.get("checkout.session", session)
    if found["status"] != "open":
        raise InvalidRequest('Only Checkout Sessions with a status in ["open"] can be expired.')
    expire_session(world, found)
    return found


@v1.get("/v1/checkout/sessions/{session}/line_items")
def list_line_items(world: World, params: Params, session: str) -> Obj:
    items = world.get("checkout.session", session)["_items"]
    return slice_of(params, items, f"/v1/checkout/sessions/{session}/line_items")


@v1.get("/v1/checkout/sessions")
def list_all(world: World, params: Params) -> Obj:
    wheres = []
    if params.child("customer_details").has("email"):
        wheres.append(Where("customer_details.email", "IS", params.child("customer_details").text("email")))
    equal = ("customer", "payment_intent", "subscription", "status")
    return page(world, params, "checkout.session", "/v1/checkout/sessions", equal=equal, wheres=wheres)


def line_items_of(world: World, session: Obj) -> Obj:
    """A session's ``line_items``, shown when expanded."""
    items = world.get("checkout.session", session["id"])["_items"]
    return listed(items, f"/v1/checkout/sessions/{session['id']}/line_items")


def _item(world: World, mode: str, sent: Params, *, taxed: bool) -> Obj:
    price, quantity = offered_price(world, sent), sent.integer("quantity")
    if mode == "payment" and price["recurring"] is not None:
        raise InvalidRequest(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use "
            "only one-time prices."
        )
    if quantity is None or quantity < 1:
        raise InvalidRequest("Quantity is required. Add `quantity` to this item.", param=sent.path("quantity"))
    amount = rounded(unit_amount(price) * quantity)
    tax = sum(part["amount"] for part in taxes(amount, world.settings.tax_percent if taxed else 0))
    return {
        "id": world.new_id("item"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": tax,
        "amount_total": amount + tax,
        "currency": price["currency"],
        "description": world.get("product", price["product"])["name"],
        "metadata": metadata(sent),
        "price": public(price),
        "quantity": quantity,
    }


def _currency(params: Params, items: list[Obj]) -> str | None:
    """The one all items are in."""
    asked = params.text("currency")
    found = {item["currency"] for item in items} | ({checked_currency(asked)} if asked else set())
    if len(found) > 1:
        raise InvalidRequest("All prices must be in the same currency.", param="line_items")
    return found.pop() if found else None


def _check_mode(world: World, mode: str, params: Params, items: list[Obj], currency: str | None) -> None:
    if mode == "setup":
        if items:
            raise InvalidRequest("`line_items` are not allowed in `setup` mode.", param="line_items")
        if currency is None and not params.has("payment_method_types"):
            raise InvalidRequest(
                "You must specify `currency` in `setup` mode, or `payment_method_types`.", param="currency"
            )
        return
    if not items:
        raise InvalidRequest("`line_items` are required in this mode.", code="parameter_missing", param="line_items")
    if mode == "payment":
        check_charge(sum(item["amount_total"] for item in items), currency or "")
    elif all(item["price"]["recurring"] is None for item in items):
        raise InvalidRequest(
            "You must provide at least one recurring price in `subscription` mode.", param="line_items"
        )
    else:
        proration.check_items([item for item in items if item["price"]["recurring"] is not None])
    for data, needed in (("payment_intent_data", "payment"), ("subscription_data", "subscription")):
        if params.has(data) and mode != needed:
            raise InvalidRequest(f"You can not pass `{data}` in `{mode}` mode.", param=data)


def _totals(mode: str, items: list[Obj], session: Obj) -> Obj:
    if mode == "setup":
        return {"amount_subtotal": None, "amount_total": None, "total_details": None}
    trial = any(name in session["_subscription_data"] for name in ("trial_period_days", "trial_end"))
    charged = [item for item in items if not (trial and item["price"]["recurring"] is not None)]
    return {
        "amount_subtotal": sum(item["amount_subtotal"] for item in charged),
        "amount_total": sum(item["amount_total"] for item in charged),
        "total_details": {
            "amount_discount": 0,
            "amount_shipping": 0,
            "amount_tax": sum(item["amount_tax"] for item in charged),
        },
    }


def _customer_creation(mode: str, params: Params) -> str | None:
    asked = params.text("customer_creation")
    if mode == "subscription" or params.has("customer"):
        return "always" if mode == "subscription" and not params.has("customer") else None
    return asked or "if_required"


def _invoice_creation(mode: str, params: Params) -> Obj | None:
    if mode != "payment":
        if params.has("invoice_creation"):
            raise InvalidRequest("`invoice_creation` is for `payment` mode.", param="invoice_creation")
        return None
    sent = params.child("invoice_creation")
    data = sent.child("invoice_data")
    issuer = data.child("issuer")
    issuer.choice("type", "self", ("self",))
    return {
        "enabled": sent.flag("enabled"),
        "invoice_data": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": data.text("description"),
            "footer": data.text("footer"),
            "issuer": None,
            "metadata": metadata(data),
            "rendering_options": None,
        },
    }


def _payment_intent_data(params: Params) -> Obj:
    sent = params.child("payment_intent_data")
    if sent.choice("capture_method", "automatic_async", ("automatic", "automatic_async", "manual")) == "manual":
        raise NotSimulated(
            "The sandbox does not simulate separate capture.", param="payment_intent_data[capture_method]"
        )
    names = (
        "description",
        "receipt_email",
        "setup_future_usage",
        "statement_descriptor",
        "statement_descriptor_suffix",
    )
    return {name: sent.text(name) for name in names} | {"metadata": metadata(sent)}


def _setup_intent_data(params: Params) -> Obj:
    sent = params.child("setup_intent_data")
    return {"description": sent.text("description"), "metadata": metadata(sent)}


def _subscription_data(world: World, params: Params, customer: Obj | None) -> Any:
    """Kept as it was sent, and read again at the end: a trial's days are counted from then."""
    sent = params.child("subscription_data")
    subscribing.read_terms(world, sent, customer)
    return sent.tree
