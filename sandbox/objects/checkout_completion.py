"""What happens when somebody pays at a checkout, or does not. No routes; pages and the control interface come here."""

from sandbox.cards import Decline
from sandbox.errors import InvalidRequest, Obj
from sandbox.money import rounded
from sandbox.objects import (
    customers,
    invoicing,
    lifecycle,
    payment_methods,
    payments,
    proration,
    setup_intents,
    subscribing,
)
from sandbox.objects.catalogue import unit_amount
from sandbox.objects.invoice_lines import Period, item_line, pricing, put_lines
from sandbox.objects.invoiceitems import new_item
from sandbox.params import Params
from sandbox.world import World


def pay(
    world: World, session: Obj, method: Obj | None, *, email: str | None = None, name: str | None = None
) -> Decline | None:
    """Submit the page with this card; None only where nothing is to be paid. A decline leaves the session open."""
    if session["status"] != "open":
        raise InvalidRequest(f"This Checkout Session is {session['status']}; it cannot be paid.")
    customer = _customer(world, session, email)
    _tell_who(session, customer, email, name)
    if session["mode"] == "setup":
        return _set_up(world, session, _needed(method))
    if session["mode"] == "payment":
        return _pay_once(world, session, _needed(method))
    return _subscribe(world, session, method)


def follow_intent(world: World, session: Obj, intent: Obj) -> None:
    """Bring a session in line with the payment intent it made."""
    if session["status"] == "open" and intent["status"] == "succeeded":
        session["payment_status"] = "paid"
        _complete(world, session)
    elif session["status"] == "open" and intent["status"] == "processing":
        _complete(world, session)
    elif session["payment_status"] == "unpaid" and session["status"] == "complete":
        if intent["status"] == "succeeded":
            session["payment_status"] = "paid"
            _invoice_afterwards(world, session)
            world.emit("checkout.session.async_payment_succeeded", session)
        elif intent["status"] == "requires_payment_method":
            world.emit("checkout.session.async_payment_failed", session)


def follow_setup(world: World, session: Obj, intent: Obj) -> None:
    """Bring a session in line with the setup intent it made."""
    if session["status"] == "open" and intent["status"] == "succeeded":
        _complete(world, session)


def intent_of(world: World, session: Obj) -> Obj:
    """The payment or setup intent that a session made at its last try."""
    if session["mode"] == "setup":
        return world.get("setup_intent", session["setup_intent"])
    if session["mode"] == "payment":
        return world.get("payment_intent", session["payment_intent"])
    return world.get("payment_intent", world.get("invoice", session["invoice"])["_intent"])


def expire_session(world: World, session: Obj) -> None:
    """Nobody paid in time, or the seller took it back."""
    session.update(status="expired", url=None, _due=None)
    if session["_subscription"] is not None and session["subscription"] is None:
        lifecycle.expire(world, world.get("subscription", session["_subscription"]))
    world.emit("checkout.session.expired", session)


def _needed(method: Obj | None) -> Obj:
    if method is None:
        raise InvalidRequest("A payment method is needed here.", param="payment_method")
    return method


def _customer(world: World, session: Obj, email: str | None) -> Obj | None:
    if session["customer"] is not None:
        return world.named("customer", session["customer"], "customer")
    keeps = session["_intent_data"]["setup_future_usage"] or (session["invoice_creation"] or {}).get("enabled")
    if session["customer_creation"] != "always" and not keeps:
        return None
    customer = customers.new_customer(world, email=email or session["customer_email"] or "customer@example.com")
    world.emit("customer.created", customer)
    session["customer"] = customer["id"]
    return customer


def _tell_who(session: Obj, customer: Obj | None, email: str | None, name: str | None) -> None:
    known = customer or {"email": None, "name": None}
    session["customer_details"] = {
        "address": None,
        "business_name": None,
        "email": known["email"] or email or session["customer_email"] or "customer@example.com",
        "individual_name": None,
        "name": name or known["name"],
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _pay_once(world: World, session: Obj, method: Obj) -> Decline | None:
    if session["payment_intent"] is None:
        intent = payments.new_intent(
            world,
            amount=session["amount_total"],
            currency=session["currency"],
            customer=session["customer"],
            payment_method_types=session["payment_method_types"],
            _session=session["id"],
            **session["_intent_data"],
        )
        session["payment_intent"] = intent["id"]
    intent = world.get("payment_intent", session["payment_intent"])
    intent["customer"] = session["customer"]
    return _attempt(world, session, intent, method)


def _attempt(world: World, session: Obj, intent: Obj, method: Obj) -> Decline | None:
    payments.choose(intent, method)
    decline = payments.attempt(world, intent, off_session=False, return_url=session["success_url"])
    follow_intent(world, session, intent)
    return decline


def _set_up(world: World, session: Obj, method: Obj) -> Decline | None:
    intent = setup_intents.new_setup(
        world,
        customer=session["customer"],
        payment_method_types=session["payment_method_types"],
        **session["_setup_data"],
    )
    intent["_session"] = session["id"]
    session["setup_intent"] = intent["id"]
    decline = setup_intents.attempt(world, intent, method, authenticated=False, return_url=session["success_url"])
    follow_setup(world, session, intent)
    return decline


def _subscribe(world: World, session: Obj, method: Obj | None) -> Decline | None:
    customer = world.get("customer", session["customer"])
    if method is not None:
        payment_methods.attach(world, method, customer)
    if session["_subscription"] is None:
        invoice = _begin(world, session, customer, method)
    else:  # an earlier try asked for authentication and failed
        subscription = world.get("subscription", session["_subscription"])
        subscription["default_payment_method"] = method and method["id"]
        invoice = world.get("invoice", subscription["latest_invoice"])
    session["invoice"] = invoice["id"]
    if invoice["status"] == "paid":
        session["payment_status"] = "paid" if invoice["amount_due"] else "no_payment_required"
        _complete(world, session)
        return None
    intent = world.get("payment_intent", invoice["_intent"])
    intent["_session"] = session["id"]
    decline = invoicing.attempt(world, invoice, _needed(method))
    lifecycle.follow_invoice(world, invoice)
    follow_intent(world, session, intent)
    return decline


def _begin(world: World, session: Obj, customer: Obj, method: Obj | None) -> Obj:
    """The subscription and its first invoice, not yet paid."""
    terms = subscribing.read_terms(world, Params(session["_subscription_data"]), customer)
    terms.default_payment_method = None if method is None else method["id"]
    terms.automatic_tax = session["automatic_tax"]["enabled"]
    if method is None and not (session["payment_method_collection"] == "if_required" and session["amount_total"] == 0):
        raise InvalidRequest("A payment method is needed here.", param="payment_method")
    identifier = world.new_id("subscription")
    items = [
        proration.new_subscription_item(world, identifier, item["price"], item["quantity"])
        for item in session["_items"]
        if item["price"]["recurring"] is not None
    ]
    subscription = subscribing.subscribe(world, customer, identifier, items, terms)
    session["_subscription"] = identifier
    for item in session["_items"]:
        if item["price"]["recurring"] is None:
            _sell_once(world, customer, item, subscription=identifier)
    return subscribing.begin(world, subscription, terms, "awaited")


def _sell_once(world: World, customer: Obj, item: Obj, *, subscription: str | None = None) -> Obj:
    now = world.now(customer)
    price = item["price"]
    return new_item(
        world,
        customer,
        amount=rounded(unit_amount(price) * item["quantity"]),
        currency=price["currency"],
        description=item["description"],
        period=Period(now, now),
        pricing=pricing(price),
        quantity=item["quantity"],
        subscription=subscription,
    )


def _complete(world: World, session: Obj) -> None:
    session.update(status="complete", url=None, _due=None)
    if session["mode"] == "subscription":
        session["subscription"] = session["_subscription"]
    if session["payment_status"] == "paid":
        _invoice_afterwards(world, session)
    world.emit("checkout.session.completed", session)


def _invoice_afterwards(world: World, session: Obj) -> None:
    """The invoice of a one-time payment, if the seller wants one: written when it is paid already."""
    wanted = session["invoice_creation"]
    if not wanted or not wanted["enabled"]:
        return
    customer = world.get("customer", session["customer"])
    now = world.now(customer)
    invoice = invoicing.draft(
        world,
        customer,
        currency=session["currency"],
        billing_reason="manual",
        period=Period(now, now),
        metadata=wanted["invoice_data"]["metadata"],
        description=wanted["invoice_data"]["description"],
        footer=wanted["invoice_data"]["footer"],
    )
    invoice["automatic_tax"]["enabled"] = session["automatic_tax"]["enabled"]
    for one in session["_items"]:
        item = _sell_once(world, customer, one)
        item["invoice"] = invoice["id"]
        put_lines(invoice, [item_line(world, item)])
    world.emit("invoice.created", invoice)
    invoicing.finalize(world, invoice, intent=world.get("payment_intent", session["payment_intent"]))
    session["invoice"] = invoice["id"]
