"""The customer's own page: cards, subscriptions, invoices."""

from html import escape

from sandbox import timeline
from sandbox.errors import CardError, InvalidRequest, Obj
from sandbox.house import House
from sandbox.money import display
from sandbox.objects import lifecycle, payment_methods
from sandbox.pages.layout import Page, alert, button, form, link, paragraph, table, when
from sandbox.world import World

_CARDS = (("Add a card", "pm_card_visa"), ("Add a card that fails later", "pm_card_chargeCustomerFail"))


def portal(house: House, method: str, form_data: dict[str, str], name: str) -> Page:
    """``/portal/{session}``."""
    world = house.world
    message = None
    with world.lock:
        if method == "POST":
            try:
                world.work(lambda: _act(world, name, form_data))
            except (CardError, InvalidRequest) as error:
                message = error.message
            timeline.catch_up(world)
        return world.work(lambda: _page(world, world.get("billing_portal.session", name), message))


def _act(world: World, name: str, asked: dict[str, str]) -> None:
    """One button was pressed. What it names must be this customer's own."""
    customer = world.get("customer", world.get("billing_portal.session", name)["customer"])
    if "add" in asked:
        method = payment_methods.usable(world, asked["add"])
        payment_methods.attach(world, method, customer)
        _make_default(world, customer, method)
    elif "default" in asked:
        _make_default(world, customer, _own(world, "payment_method", asked["default"], customer))
    elif "remove" in asked:
        payment_methods.let_go(world, _own(world, "payment_method", asked["remove"], customer))
    elif "cancel" in asked:
        _cancel_at_end(world, _own(world, "subscription", asked["cancel"], customer), ends=True)
    elif "keep" in asked:
        _cancel_at_end(world, _own(world, "subscription", asked["keep"], customer), ends=False)


def _make_default(world: World, customer: Obj, method: Obj) -> None:
    customer["invoice_settings"]["default_payment_method"] = method["id"]
    world.emit_updated("customer.updated", customer)


def _cancel_at_end(world: World, subscription: Obj, *, ends: bool) -> None:
    subscription["cancel_at_period_end"] = ends
    subscription["cancel_at"] = lifecycle.period(subscription).end if ends else None
    subscription["canceled_at"] = world.now(subscription) if ends else None
    lifecycle.schedule(subscription)
    world.emit_updated("customer.subscription.updated", subscription)


def _own(world: World, kind: str, name: str, customer: Obj) -> Obj:
    found = world.get(kind, name)
    if found["customer"] != customer["id"]:
        raise InvalidRequest("That is somebody else's.")
    return found


def _page(world: World, session: Obj, message: str | None) -> Page:
    customer = world.get("customer", session["customer"])
    default = customer["invoice_settings"]["default_payment_method"]
    cards = [
        (
            f"{escape(one['card']['brand'])} •••• {escape(one['card']['last4'])}",
            "used for invoices"
            if one["id"] == default
            else form(button("Use for invoices", "default", one["id"]), inline=True),
            form(button("Remove", "remove", one["id"]), inline=True),
        )
        for one in world.store.find("payment_method", customer=customer["id"], type="card")
    ]
    subscriptions = [
        (
            escape(one["status"]),
            f"until {when(lifecycle.period(one).end)}",
            form(
                button(
                    *(("Do not cancel", "keep") if one["cancel_at_period_end"] else ("Cancel", "cancel")), one["id"]
                ),
                inline=True,
            ),
        )
        for one in world.store.find("subscription", customer=customer["id"])
        if one["ended_at"] is None
    ]
    invoices = [
        (
            f'<a href="{escape(one["hosted_invoice_url"] or "")}">{escape(one["number"] or "draft")}</a>',
            escape(one["status"]),
            escape(display(one["total"], one["currency"])),
        )
        for one in world.store.find("invoice", customer=customer["id"])
        if one["number"]
    ]
    return Page.of(
        "Your billing",
        alert(message),
        paragraph(customer["email"] or customer["id"]),
        "<h2>Cards</h2>",
        table(cards, html=True),
        form(*(button(text, "add", token) for text, token in _CARDS)),
        "<h2>Subscriptions</h2>",
        table(subscriptions, html=True) if subscriptions else paragraph("None."),
        "<h2>Invoices</h2>",
        table(invoices, html=True) if invoices else paragraph("None."),
        link("Back", session["return_url"]),
    )
