"""Where somebody pays: a checkout, an invoice; and where their bank asks whether it is really them."""

from urllib.parse import urlencode

from sandbox import timeline
from sandbox.errors import CardError, Obj, UnknownUrl
from sandbox.house import House
from sandbox.money import display
from sandbox.objects import aftermath, checkout_completion, invoicing, lifecycle, payment_methods
from sandbox.pages.layout import Page, alert, button, field, form, link, paragraph, table
from sandbox.world import World

_OTHER_CARDS = (
    ("Pay with a card that asks for authentication", "pm_card_authenticationRequired"),
    ("Pay with a card that is declined", "pm_card_visa_chargeDeclined"),
    ("Pay with a card that has too little on it", "pm_card_visa_chargeDeclinedInsufficientFunds"),
)


def checkout(house: House, method: str, form_data: dict[str, str], name: str) -> Page:
    """``/pay/{session}``: pay with a click, be declined, or be asked for authentication."""
    session = house.world.work(lambda: house.world.get("checkout.session", name))
    if method == "POST" and session["status"] == "open":
        return _pay(house, name, form_data)
    if session["status"] != "open":
        return Page.of("Nothing to pay here", paragraph(f"This checkout is {session['status']}."))
    return _checkout_page(house.world, session)


def authenticate(house: House, method: str, form_data: dict[str, str], secret: str) -> Page:
    """``/authenticate/{client secret}``: the bank's question."""
    name = secret.partition("_secret_")[0]
    intent = house.world.work(lambda: house.world.store.get(name))
    if intent is None or intent.get("client_secret") != secret:
        raise UnknownUrl("There is nothing to authenticate here.")
    if method == "GET":
        amount = (
            f" a payment of {display(intent['amount'], intent['currency'])}"
            if "amount" in intent
            else " to keep your card"
        )
        return Page.of(
            "Your bank asks",
            paragraph(f"Is it you who wants{amount}?"),
            form(button("Yes, it is me", "answer", "yes", go=True), button("No, refuse it", "answer", "no")),
        )
    succeeds = form_data.get("answer") == "yes"
    with house.world.lock:
        house.world.work(
            lambda: aftermath.authenticate(house.world, house.world.store.get(name) or {}, succeeds=succeeds)
        )
        timeline.catch_up(house.world)
        return house.world.work(
            lambda: _after_authentication(house.world, house.world.store.get(name) or {}, succeeds=succeeds)
        )


def invoice(house: House, method: str, form_data: dict[str, str], name: str, address: str) -> Page:
    """``/invoice/{invoice}/{secret part}``: what is owed, and a way to pay it."""
    world = house.world
    found = world.work(lambda: world.get("invoice", name))
    if found.get("_address") != address:
        raise UnknownUrl("There is no such invoice.")
    message = None
    if method == "POST" and found["status"] == "open":
        decline, action = _attempt_invoice(house, name, form_data.get("payment_method", "pm_card_visa"))
        if action:
            return Page.to(action)
        message = decline
        found = world.work(lambda: world.get("invoice", name))
    rows = [(line["description"] or "", display(line["amount"], line["currency"])) for line in found["lines"]["data"]]
    rows.append(("To pay", display(found["amount_due"], found["currency"])))
    buttons = (
        form(*_cards(f"Pay {display(found['amount_due'], found['currency'])}")) if found["status"] == "open" else ""
    )
    return Page.of(
        f"Invoice {found['number']}", alert(message), table(rows), paragraph(f"Status: {found['status']}"), buttons
    )


def receipt(house: House, method: str, form_data: dict[str, str], name: str) -> Page:
    """``/receipt/{charge}``."""
    charge = house.world.work(lambda: house.world.get("charge", name))
    rows = [("Paid", display(charge["amount_captured"], charge["currency"]))]
    if charge["amount_refunded"]:
        rows.append(("Refunded", display(charge["amount_refunded"], charge["currency"])))
    return Page.of("Receipt", table(rows), paragraph(charge["description"] or charge["id"]))


def _pay(house: House, name: str, form_data: dict[str, str]) -> Page:
    world = house.world

    def work() -> str | None:
        session = world.get("checkout.session", name)
        method = payment_methods.usable(world, form_data.get("payment_method", "pm_card_visa"))
        decline = checkout_completion.pay(world, session, method, email=form_data.get("email") or None)
        return None if decline is None else decline.message

    with world.lock:
        try:
            message = world.work(work)
        except CardError as error:
            message = error.message
        timeline.catch_up(world)
        session = world.work(lambda: world.get("checkout.session", name))
        if session["status"] == "complete":
            return Page.to(_success_url(session))
        action = world.work(lambda: _next_action(world, session)) if message is None else None
        return (
            Page.to(action) if action else _checkout_page(world, session, message or "The payment was not completed.")
        )


def _checkout_page(world: World, session: Obj, message: str | None = None) -> Page:
    if session["mode"] == "setup":
        title, rows, words = "Keep a card for later", [], "Save a card"
    else:
        title = "Subscribe" if session["mode"] == "subscription" else "Pay"
        rows = [
            (f"{item['quantity']} × {item['description']}", display(item["amount_subtotal"], item["currency"]))
            for item in session["_items"]
        ]
        total = display(session["amount_total"], session["currency"])
        if session["total_details"]["amount_tax"]:
            rows.append(("Tax", display(session["total_details"]["amount_tax"], session["currency"])))
        rows.append(("To pay now", total))
        words = f"Pay {total}"
    email = session["customer_email"] or ""
    asks = "" if session["customer"] else field("E-mail", "email", email, "email")
    saved = world.work(lambda: _saved(world, session["customer"], words)) if session["customer"] else []
    return Page.of(
        title,
        alert(message),
        table(rows),
        form(asks, *_cards(words), *saved),
        link("Back, without paying", session["cancel_url"]),
    )


def _cards(words: str) -> list[str]:
    return [
        button(words, "payment_method", "pm_card_visa", go=True),
        *(button(text, "payment_method", token) for text, token in _OTHER_CARDS),
    ]


def _saved(world: World, customer: str, words: str) -> list[str]:
    methods = world.store.find("payment_method", customer=customer, type="card")
    return [
        button(f"{words} with {one['card']['brand']} •••• {one['card']['last4']}", "payment_method", one["id"])
        for one in methods
    ]


def _success_url(session: Obj) -> str:
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _next_action(world: World, session: Obj) -> str | None:
    action = checkout_completion.intent_of(world, session)["next_action"]
    return action and str(action["redirect_to_url"]["url"])


def _after_authentication(world: World, intent: Obj, *, succeeds: bool) -> Page:
    if intent.get("_session"):
        session = world.get("checkout.session", intent["_session"])
        return Page.to(
            _success_url(session) if session["status"] == "complete" else f"{world.base_url}/pay/{session['id']}"
        )
    if intent.get("_return_url"):
        kind = intent["object"]
        query = {
            kind: intent["id"],
            f"{kind}_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if succeeds and intent["status"] != "requires_payment_method" else "failed",
        }
        url = intent["_return_url"]
        return Page.to(f"{url}{'&' if '?' in url else '?'}{urlencode(query)}")
    return Page.of("Thank you", paragraph("Your bank knows. You can close this page."))


def _attempt_invoice(house: House, name: str, token: str) -> tuple[str | None, str | None]:
    """Why it was declined, or where to authenticate; neither if it is paid."""
    world = house.world

    def work() -> tuple[str | None, str | None]:
        found = world.get("invoice", name)
        method = invoicing.usable_method(world, token, world.get("customer", found["customer"]))
        decline = invoicing.attempt(world, found, method)
        lifecycle.follow_invoice(world, found)
        action = world.get("payment_intent", found["_intent"])["next_action"]
        return None if decline is None else decline.message, action and action["redirect_to_url"]["url"]

    with world.lock:
        try:
            return world.work(work)
        except CardError as error:
            return error.message, None
        finally:
            timeline.catch_up(world)
