"""What happens when a payment is attempted. No routes: intents, invoices and checkout pages all come here."""

from sandbox import cards
from sandbox.cards import Decline
from sandbox.errors import CardError, InvalidRequest, Obj
from sandbox.money import check_charge
from sandbox.objects import balance, disputes, payment_methods
from sandbox.render import public, visible
from sandbox.world import World

DAYS_TO_SETTLE = 4
"""What a bank debit takes; a card is settled at once."""
WAITING = ("requires_payment_method", "requires_confirmation", "requires_action")
"""States an intent can still be confirmed in."""


def new_intent(world: World, *, amount: int, currency: str, customer: str | None, **fields: object) -> Obj:
    """A payment intent that waits for a payment method. Raises InvalidRequest for an amount that cannot be charged."""
    check_charge(amount, currency)
    identifier = world.new_id("payment_intent")
    owner = world.store.get(customer) if customer else None
    intent: Obj = {
        "id": identifier,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{identifier}_secret_{world.secret(identifier)}",
        "confirmation_method": "automatic",
        "currency": currency,
        "customer": customer,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {"installments": None, "network": None, "request_three_d_secure": "automatic"}
        },
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }
    world.adopt(intent | world.basics("payment_intent", owner) | fields)
    created = world.get("payment_intent", identifier)
    world.emit("payment_intent.created", created)
    return created


def choose(intent: Obj, method: Obj) -> None:
    """Put a payment method on an intent. Raises InvalidRequest where it is somebody else's, or used up."""
    if method.get("_used_up"):
        raise InvalidRequest(payment_methods.USED_UP, code="payment_method_unexpected_state", param="payment_method")
    if method["customer"] is not None and method["customer"] != intent["customer"]:
        raise InvalidRequest(
            f"The PaymentMethod {method['id']} does not belong to the Customer you supplied. Please use it with the "
            "Customer it is attached to."
            if intent["customer"]
            else f"The PaymentMethod {method['id']} belongs to a Customer. Please include that Customer in the "
            "`customer` parameter on the PaymentIntent.",
            param="payment_method",
        )
    intent["payment_method"] = method["id"]
    intent["status"] = "requires_confirmation"


def attempt(world: World, intent: Obj, *, off_session: bool, return_url: str | None = None) -> Decline | None:
    """Charge the intent's payment method, or ask for authentication first. A decline is answered, not raised."""
    method = world.get("payment_method", intent["payment_method"])
    its = payment_methods.behaviour(method)
    if its.authentication == "always" or (its.authentication == "unless_set_up" and not method["_set_up"]):
        if off_session:
            return _declined(world, intent, method, cards.AUTHENTICATION)
        _ask_for_authentication(world, intent, return_url)
        return None
    return _charge(world, intent, method)


def authenticate(world: World, intent: Obj, *, succeeds: bool) -> Decline | None:
    """The customer did, or failed, what their bank asked of them; then the charge goes on."""
    if intent["status"] != "requires_action":
        raise InvalidRequest(f"This PaymentIntent needs no action: it is {intent['status']}.")
    method = world.get("payment_method", intent["payment_method"])
    intent["next_action"] = None
    if not succeeds:
        return _declined(world, intent, method, cards.FAILED_AUTHENTICATION, charged=False)
    return _charge(world, intent, method)


def settle(world: World, intent: Obj) -> Decline | None:
    """A payment that takes days, such as a bank debit, comes through or fails."""
    if intent["status"] != "processing":
        raise InvalidRequest(f"This PaymentIntent is not on its way: it is {intent['status']}.")
    intent["_due"] = None
    method = world.get("payment_method", intent["payment_method"])
    decline = payment_methods.behaviour(method).decline
    if decline is not None:
        return _declined(world, intent, method, decline)
    _succeeded(world, intent, method)
    return None


def card_error(intent: Obj, decline: Decline) -> CardError:
    """The refusal, as the caller of Stripe's API gets it."""
    details = {} if decline.decline_code is None else {"decline_code": decline.decline_code}
    shown = public(intent)
    error = intent["last_payment_error"] or {}
    return CardError(
        decline.message,
        code=decline.code,
        **details,
        payment_intent=shown,
        payment_method=visible(error.get("payment_method")),
        **({"charge": error["charge"]} if "charge" in error else {}),
    )


def action_error(intent: Obj) -> CardError:
    """The refusal where only the customer can go on, by authenticating."""
    return CardError(
        "This payment requires additional user action before it can be completed successfully. Payment can be "
        "completed using the PaymentIntent associated with the invoice.",
        code="invoice_payment_intent_requires_action",
        payment_intent=public(intent),
    )


def cancel(world: World, intent: Obj, reason: str | None) -> None:
    if intent["status"] not in WAITING:
        raise InvalidRequest(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    intent.update(
        status="canceled", canceled_at=world.now(), cancellation_reason=reason, next_action=None, amount_capturable=0
    )
    world.emit("payment_intent.canceled", intent)


def _ask_for_authentication(world: World, intent: Obj, return_url: str | None) -> None:
    intent["status"] = "requires_action"
    intent["_return_url"] = return_url
    intent["next_action"] = {
        "type": "redirect_to_url",
        "redirect_to_url": {
            "return_url": return_url,
            "url": f"{world.base_url}/authenticate/{intent['client_secret']}",
        },
    }
    world.emit("payment_intent.requires_action", intent)


def _charge(world: World, intent: Obj, method: Obj) -> Decline | None:
    its = payment_methods.behaviour(method)
    if its.settles_later:
        intent.update(status="processing", _due=world.now() + DAYS_TO_SETTLE * 86400)
        world.emit("payment_intent.processing", intent)
        return None
    if its.decline is not None:
        return _declined(world, intent, method, its.decline)
    _succeeded(world, intent, method)
    if its.dispute is not None:
        disputes.open_dispute(world, world.get("charge", intent["latest_charge"]), reason=its.dispute)
    return None


def _succeeded(world: World, intent: Obj, method: Obj) -> None:
    charge = _new_charge(world, intent, method)
    fee = world.fees.of_charge(intent["amount"], intent["currency"])
    moved = balance.move(world, charge, kind="charge", amount=intent["amount"], fee=fee)
    charge["balance_transaction"] = moved["id"]
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        last_payment_error=None,
        next_action=None,
        processing=None,
    )
    if intent["setup_future_usage"] and intent["customer"]:
        payment_methods.attach(world, method, world.get("customer", intent["customer"]))
        method["_set_up"] = True
    method["_used_up"] = method["customer"] is None  # one that nobody keeps pays once
    world.emit("charge.succeeded", charge)
    world.emit("payment_intent.succeeded", intent)


def _declined(world: World, intent: Obj, method: Obj, decline: Decline, *, charged: bool = True) -> Decline:
    error: Obj = {
        "type": "card_error" if charged else "invalid_request_error",
        "code": decline.code,
        "message": decline.message,
        "payment_method": public(method),
    }
    if decline.decline_code is not None:
        error["decline_code"] = decline.decline_code
    if charged:
        charge = _new_charge(world, intent, method, decline)
        intent["latest_charge"] = error["charge"] = charge["id"]
        world.emit("charge.failed", charge)
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        processing=None,
        last_payment_error=error,
    )
    world.emit("payment_intent.payment_failed", intent)
    return decline


def _new_charge(world: World, intent: Obj, method: Obj, decline: Decline | None = None) -> Obj:
    owner = world.store.get(intent["customer"]) if intent["customer"] else None
    identifier = world.new_id("charge")
    captured = decline is None
    return world.adopt(
        {"id": identifier}
        | world.basics("charge", owner)
        | {
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if captured else 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": method["billing_details"],
            "calculated_statement_descriptor": "SANDBOX",
            "captured": captured,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": None if decline is None else decline.code,
            "failure_message": None if decline is None else decline.message,
            "fraud_details": {},
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": None,
            "outcome": _outcome(decline),
            "paid": captured,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": _details(method),
            "receipt_email": intent["receipt_email"],
            "receipt_number": None,
            "receipt_url": f"{world.base_url}/receipt/{identifier}" if captured else None,
            "refunded": False,
            "review": None,
            "shipping": None,
            "source_transfer": None,
            "statement_descriptor": intent["statement_descriptor"],
            "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
            "status": "succeeded" if captured else "failed",
            "transfer_data": None,
            "transfer_group": None,
        }
    )


def _outcome(decline: Decline | None) -> Obj:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network" if decline is None else "declined_by_network",
        "reason": None if decline is None else decline.decline_code or decline.code,
        "risk_level": "normal",
        "seller_message": "Payment complete." if decline is None else "The bank did not return any further details.",
        "type": "authorized" if decline is None else "issuer_declined",
    }


def _details(method: Obj) -> Obj:
    if method["type"] != "card":
        bank = method["us_bank_account"]
        shown = ("account_holder_type", "account_type", "bank_name", "fingerprint", "last4", "routing_number")
        return {"type": method["type"], method["type"]: {name: bank[name] for name in shown}}
    card = method["card"]
    known = (
        "brand",
        "checks",
        "country",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "last4",
        "regulated_status",
    )
    details: Obj = {name: card[name] for name in known}
    details |= dict.fromkeys(("installments", "mandate", "three_d_secure", "wallet", "network_transaction_id"))
    return {"type": "card", "card": details | {"network": card["brand"]}}
