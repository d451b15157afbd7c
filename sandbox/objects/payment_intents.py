"""Payment intents (https://docs.stripe.com/api/payment_intents)."""

from sandbox.errors import InvalidRequest, Obj
from sandbox.listing import page
from sandbox.money import check_charge, checked_currency
from sandbox.objects import aftermath, payment_methods, payments
from sandbox.objects.fields import merge_metadata, metadata, set_texts
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.world import World

_TEXTS = ("description", "receipt_email", "setup_future_usage", "statement_descriptor", "statement_descriptor_suffix")


@v1.post("/v1/payment_intents")
def create(world: World, params: Params) -> Obj:
    customer = params.text("customer")
    if customer is not None:
        world.named("customer", customer, "customer")
    amount = params.integer("amount")
    currency = checked_currency(params.needed("currency"))
    if amount is None:
        raise InvalidRequest("Missing required param: amount.", code="parameter_missing", param="amount")
    confirmed = params.flag("confirm")
    if params.has("off_session") and not confirmed:
        raise InvalidRequest("The parameter `off_session` needs `confirm` to be true.", param="off_session")
    intent = payments.new_intent(
        world,
        amount=amount,
        currency=currency,
        customer=customer,
        metadata=metadata(params),
        **{name: params.text(name) for name in _TEXTS},
        **_methods(params),
    )
    _choose_method(world, intent, params)
    return _confirm(world, intent, params) if confirmed else intent


@v1.get("/v1/payment_intents/{intent}")
def retrieve(world: World, params: Params, intent: str) -> Obj:
    params.accept("client_secret")
    return world.get("payment_intent", intent)


@v1.post("/v1/payment_intents/{intent}")
def update(world: World, params: Params, intent: str) -> Obj:
    found = world.get("payment_intent", intent)
    if params.has("amount") or params.has("payment_method"):
        _must_wait(found)
    if params.has("amount"):
        found["amount"] = params.integer("amount") or 0
        check_charge(found["amount"], found["currency"])
    set_texts(found, params, *_TEXTS)
    merge_metadata(found, params)
    _choose_method(world, found, params)
    return found


@v1.post("/v1/payment_intents/{intent}/confirm")
def confirm(world: World, params: Params, intent: str) -> Obj:
    found = world.get("payment_intent", intent)
    _must_wait(found)
    set_texts(found, params, "receipt_email", "setup_future_usage")
    _choose_method(world, found, params)
    return _confirm(world, found, params)


@v1.post("/v1/payment_intents/{intent}/cancel")
def cancel(world: World, params: Params, intent: str) -> Obj:
    found = world.get("payment_intent", intent)
    if found.get("_invoice"):
        raise InvalidRequest("This PaymentIntent belongs to an invoice. Void the invoice instead.")
    payments.cancel(world, found, params.text("cancellation_reason"))
    return found


@v1.get("/v1/payment_intents")
def list_all(world: World, params: Params) -> Obj:
    return page(world, params, "payment_intent", "/v1/payment_intents", equal=("customer",))


def _methods(params: Params) -> Obj:
    """Either the kinds are listed, or Stripe chooses among those switched on."""
    automatic = params.child("automatic_payment_methods")
    if params.has("payment_method_types"):
        return {"payment_method_types": params.texts("payment_method_types"), "automatic_payment_methods": None}
    if automatic.has("enabled") and not automatic.flag("enabled"):
        return {"automatic_payment_methods": None}
    return {
        "automatic_payment_methods": {
            "allow_redirects": automatic.choice("allow_redirects", "always", ("always", "never")),
            "enabled": True,
        }
    }


def _choose_method(world: World, intent: Obj, params: Params) -> None:
    if params.has("payment_method"):
        payments.choose(intent, payment_methods.usable(world, params.needed("payment_method")))
    elif params.has("payment_method_data"):
        payments.choose(intent, payment_methods.from_data(world, params.child("payment_method_data")))


def _confirm(world: World, intent: Obj, params: Params) -> Obj:
    off_session = params.choice("off_session", "false", ("true", "false", "one_off", "recurring")) != "false"
    return_url = params.text("return_url")
    refuses_action = params.flag("error_on_requires_action")
    if intent["payment_method"] is None:
        raise InvalidRequest(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken.",
            code="payment_intent_unexpected_state",
        )
    automatic = intent["automatic_payment_methods"]
    if automatic and automatic["allow_redirects"] == "always" and return_url is None and not off_session:
        raise InvalidRequest(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of "
            "these payment methods might redirect your customer off of your page, you must provide a `return_url`. "
            "If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` "
            "to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and "
            "Payment Intents."
        )
    decline = payments.attempt(world, intent, off_session=off_session or refuses_action, return_url=return_url)
    aftermath.follow(world, intent)
    if decline is not None:
        raise payments.card_error(intent, decline)
    return intent


def _must_wait(intent: Obj) -> None:
    if intent["status"] not in payments.WAITING:
        raise InvalidRequest(
            f"This PaymentIntent's state does not allow that: it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
            payment_intent={"id": intent["id"], "object": "payment_intent", "status": intent["status"]},
        )
