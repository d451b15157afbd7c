"""Setup intents (https://docs.stripe.com/api/setup_intents): a card kept for later, nothing charged."""

from sandbox import cards
from sandbox.errors import CardError, InvalidRequest, Obj
from sandbox.listing import page
from sandbox.objects import payment_methods
from sandbox.objects.fields import merge_metadata, metadata, set_texts
from sandbox.params import Params
from sandbox.render import public
from sandbox.routes import v1
from sandbox.world import World

_WAITING = ("requires_payment_method", "requires_confirmation", "requires_action")


@v1.post("/v1/setup_intents")
def create(world: World, params: Params) -> Obj:
    customer = params.text("customer")
    if customer is not None:
        world.named("customer", customer, "customer")
    intent = new_setup(
        world,
        customer=customer,
        description=params.text("description"),
        metadata=metadata(params),
        usage=params.choice("usage", "off_session", ("off_session", "on_session")),
    )
    if params.has("payment_method_types"):
        intent["payment_method_types"], intent["automatic_payment_methods"] = params.texts("payment_method_types"), None
    elif params.has("automatic_payment_methods"):
        params.child("automatic_payment_methods").accept("enabled", "allow_redirects")
    _choose(world, intent, params)
    return _confirm(world, intent, params) if params.flag("confirm") else intent


@v1.get("/v1/setup_intents/{intent}")
def retrieve(world: World, params: Params, intent: str) -> Obj:
    params.accept("client_secret")
    return world.get("setup_intent", intent)


@v1.post("/v1/setup_intents/{intent}")
def update(world: World, params: Params, intent: str) -> Obj:
    found = world.get("setup_intent", intent)
    set_texts(found, params, "description")
    merge_metadata(found, params)
    _choose(world, found, params)
    return found


@v1.post("/v1/setup_intents/{intent}/confirm")
def confirm(world: World, params: Params, intent: str) -> Obj:
    found = world.get("setup_intent", intent)
    _choose(world, found, params)
    return _confirm(world, found, params)


@v1.post("/v1/setup_intents/{intent}/cancel")
def cancel(world: World, params: Params, intent: str) -> Obj:
    found = world.get("setup_intent", intent)
    _must_wait(found)
    found.update(status="canceled", cancellation_reason=params.text("cancellation_reason"), next_action=None)
    world.emit("setup_intent.canceled", found)
    return found


@v1.get("/v1/setup_intents")
def list_all(world: World, params: Params) -> Obj:
    return page(world, params, "setup_intent", "/v1/setup_intents", equal=("customer", "payment_method"))


def new_setup(world: World, *, customer: str | None, **fields: object) -> Obj:
    """A setup intent that waits for a payment method."""
    identifier = world.new_id("setup_intent")
    intent: Obj = {
        "id": identifier,
        "application": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "cancellation_reason": None,
        "client_secret": f"{identifier}_secret_{world.secret(identifier)}",
        "customer": customer,
        "description": None,
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "mandate": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
        },
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
    }
    world.adopt(intent | world.basics("setup_intent", world.store.get(customer) if customer else None) | fields)
    created = world.get("setup_intent", identifier)
    world.emit("setup_intent.created", created)
    return created


def attempt(
    world: World, intent: Obj, method: Obj, *, authenticated: bool, return_url: str | None
) -> cards.Decline | None:
    """Save the method for later use, or ask for authentication first. A decline is answered, not raised."""
    its = payment_methods.behaviour(method)
    intent["payment_method"] = method["id"]
    if its.refuses_to_be_saved and its.decline is not None:
        return _failed(world, intent, method, its.decline)
    if its.authentication != "never" and not authenticated and not method["_set_up"]:
        intent["status"] = "requires_action"
        intent["_return_url"] = return_url
        intent["next_action"] = {
            "type": "redirect_to_url",
            "redirect_to_url": {
                "return_url": return_url,
                "url": f"{world.base_url}/authenticate/{intent['client_secret']}",
            },
        }
        world.emit("setup_intent.requires_action", intent)
        return None
    if intent["customer"] is not None:
        payment_methods.attach(world, method, world.get("customer", intent["customer"]))
    method["_set_up"] = True
    intent.update(status="succeeded", next_action=None, last_setup_error=None)
    world.emit("setup_intent.succeeded", intent)
    return None


def authenticate(world: World, intent: Obj, *, succeeds: bool) -> cards.Decline | None:
    """The customer did, or failed, what their bank asked of them."""
    if intent["status"] != "requires_action":
        raise InvalidRequest(f"This SetupIntent needs no action: it is {intent['status']}.")
    method = world.get("payment_method", intent["payment_method"])
    intent["next_action"] = None
    if not succeeds:
        return _failed(world, intent, method, cards.FAILED_SETUP_AUTHENTICATION)
    return attempt(world, intent, method, authenticated=True, return_url=None)


def _confirm(world: World, intent: Obj, params: Params) -> Obj:
    _must_wait(intent)
    if intent["payment_method"] is None:
        raise InvalidRequest("You cannot confirm this SetupIntent because it's missing a payment method.")
    method = world.get("payment_method", intent["payment_method"])
    decline = attempt(world, intent, method, authenticated=False, return_url=params.text("return_url"))
    if decline is not None:
        details = {} if decline.decline_code is None else {"decline_code": decline.decline_code}
        raise CardError(decline.message, code=decline.code, setup_intent=public(intent), **details)
    return intent


def _failed(world: World, intent: Obj, method: Obj, decline: cards.Decline) -> cards.Decline:
    error: Obj = {"type": "card_error", "code": decline.code, "message": decline.message}
    error["payment_method"] = public(method)
    if decline.decline_code is not None:
        error["decline_code"] = decline.decline_code
    intent.update(status="requires_payment_method", payment_method=None, last_setup_error=error, next_action=None)
    world.emit("setup_intent.setup_failed", intent)
    return decline


def _choose(world: World, intent: Obj, params: Params) -> None:
    if params.has("payment_method"):
        _must_wait(intent)
        intent["payment_method"] = payment_methods.usable(world, params.needed("payment_method"))["id"]
        intent["status"] = "requires_confirmation"


def _must_wait(intent: Obj) -> None:
    if intent["status"] not in _WAITING:
        raise InvalidRequest(
            f"This SetupIntent's state does not allow that: it has a status of {intent['status']}.",
            code="setup_intent_unexpected_state",
        )
