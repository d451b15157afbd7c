"""Payment methods (https://docs.stripe.com/api/payment_methods): test ones only, each with a known behaviour."""

from sandbox import cards
from sandbox.errors import CardErrorUndone, InvalidRequest, NotSimulated, Obj
from sandbox.listing import page
from sandbox.objects.fields import address, merge_metadata, set_texts
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.world import World

USED_UP = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, or was detached "
    "from a Customer. It may not be used again. To use it several times, you must attach it to a Customer "
    "first."
)


@v1.post("/v1/payment_methods")
def create(world: World, params: Params) -> Obj:
    method = from_data(world, params)
    merge_metadata(method, params)
    return method


def from_data(world: World, params: Params) -> Obj:
    """A new one from ``type`` and, for a card, the test token it stands for."""
    if params.needed("type") != "card":
        raise NotSimulated("The sandbox creates cards only; use pm_usBankAccount_success for a bank account.")
    card = params.child("card")
    token = card.text("token")
    if token is None:
        raise NotSimulated("The sandbox takes no card numbers: send card[token]=tok_visa, or use pm_card_visa.")
    method = new_method(world, token)
    details = params.child("billing_details")
    set_texts(method["billing_details"], details, "email", "name", "phone")
    if details.has("address"):
        method["billing_details"]["address"] = address(details)
    params.accept("allow_redisplay")
    return method


def new_method(world: World, token: str) -> Obj:
    """A payment method that behaves as this test token says."""
    name = cards.canonical(token)
    its = cards.behaviour(name)
    return world.new(
        "payment_method",
        allow_redisplay="unspecified",
        billing_details={
            "address": {
                "city": None,
                "country": None,
                "line1": None,
                "line2": None,
                "postal_code": None,
                "state": None,
            },
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        customer=None,
        metadata={},
        type=its.kind,
        _behaves_like=name,
        _set_up=name == "pm_card_authenticationRequiredSetupForOffSession",
        **({"card": _card(world, its)} if its.kind == "card" else {"us_bank_account": _bank_account(world, its)}),
    )


def usable(world: World, name: str, param: str = "payment_method") -> Obj:
    """The payment method a parameter names; a test token makes a new one each time, as at Stripe."""
    if cards.is_test_token(name):
        return new_method(world, name)
    return world.named("payment_method", name, param)


def behaviour(method: Obj) -> cards.Behaviour:
    return cards.behaviour(method["_behaves_like"])


def attach(world: World, method: Obj, customer: Obj) -> None:
    """Keep it for the customer. Raises CardErrorUndone for a card whose bank refuses even that."""
    if method["customer"] == customer["id"]:
        return
    if method["customer"] is not None or method.get("_used_up"):
        raise InvalidRequest(USED_UP, code="payment_method_unexpected_state")
    its = behaviour(method)
    if its.refuses_to_be_saved and its.decline is not None:
        raise CardErrorUndone(its.decline.message, code=its.decline.code, decline_code=its.decline.decline_code)
    method["customer"] = customer["id"]
    world.emit("payment_method.attached", method)


@v1.get("/v1/payment_methods/{method}")
def retrieve(world: World, params: Params, method: str) -> Obj:
    return usable(world, method) if cards.is_test_token(method) else world.get("payment_method", method)


@v1.post("/v1/payment_methods/{method}")
def update(world: World, params: Params, method: str) -> Obj:
    found = world.get("payment_method", method)
    merge_metadata(found, params)
    details = params.child("billing_details")
    set_texts(found["billing_details"], details, "email", "name", "phone")
    world.emit_updated("payment_method.updated", found)
    return found


@v1.post("/v1/payment_methods/{method}/attach")
def attach_to_customer(world: World, params: Params, method: str) -> Obj:
    found = usable(world, method)
    attach(world, found, world.named("customer", params.needed("customer"), "customer"))
    return found


@v1.post("/v1/payment_methods/{method}/detach")
def detach(world: World, params: Params, method: str) -> Obj:
    found = world.get("payment_method", method)
    if found["customer"] is None:
        raise InvalidRequest(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    let_go(world, found)
    return found


def let_go(world: World, method: Obj) -> None:
    """No longer the customer's, nor anybody's default."""
    customer = world.get("customer", method["customer"])
    for holder in [customer["invoice_settings"], *world.store.find("subscription", customer=customer["id"])]:
        if holder["default_payment_method"] == method["id"]:
            holder["default_payment_method"] = None
    method["customer"], method["_used_up"] = None, True
    world.emit_updated("payment_method.detached", method)


@v1.get("/v1/payment_methods")
def list_all(world: World, params: Params) -> Obj:
    params.accept("allow_redisplay")
    return page(world, params, "payment_method", "/v1/payment_methods", equal=("customer", "type"), dated=())


@v1.get("/v1/customers/{customer}/payment_methods")
def list_of_customer(world: World, params: Params, customer: str) -> Obj:
    world.named("customer", customer, "customer")
    params.tree["customer"] = customer
    params.accept("allow_redisplay")
    url = f"/v1/customers/{customer}/payment_methods"
    return page(world, params, "payment_method", url, equal=("customer", "type"), dated=())


@v1.get("/v1/customers/{customer}/payment_methods/{method}")
def retrieve_of_customer(world: World, params: Params, customer: str, method: str) -> Obj:
    found = world.get("payment_method", method)
    if found["customer"] != customer:
        raise InvalidRequest("No such payment_method for this customer.", code="resource_missing")
    return found


def _card(world: World, its: cards.Behaviour) -> Obj:
    return {
        "brand": its.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": its.brand,
        "exp_month": 12,
        "exp_year": 2040,
        "fingerprint": world.secret(f"card {its.last4}", 16),
        "funding": "credit",
        "generated_from": None,
        "last4": its.last4,
        "networks": {"available": [its.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _bank_account(world: World, its: cards.Behaviour) -> Obj:
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "SANDBOX BANK",
        "financial_connections_account": None,
        "fingerprint": world.secret(f"bank account {its.last4}", 16),
        "last4": its.last4,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": {},
    }
