"""Subscriptions (https://docs.stripe.com/api/subscriptions)."""

from sandbox.errors import InvalidRequest, Missing, Obj
from sandbox.listing import page, slice_of
from sandbox.money import rounded
from sandbox.objects import lifecycle, payment_methods, proration, subscribing
from sandbox.objects.catalogue import offered_price, unit_amount
from sandbox.objects.changing import change_plan, end_trial, extend_trial
from sandbox.objects.fields import merge_metadata, set_texts
from sandbox.objects.invoice_lines import Period, pricing
from sandbox.objects.invoiceitems import new_item
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.store import Where
from sandbox.world import World

_BEHAVIORS = ("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete")
_ENDED = ("canceled", "incomplete_expired")
_PAYMENT: dict[str, subscribing.Payment] = {
    "allow_incomplete": "attempted",
    "default_incomplete": "awaited",
    "error_if_incomplete": "certain",
}


@v1.post("/v1/subscriptions")
def create(world: World, params: Params) -> Obj:
    customer = world.named("customer", params.needed("customer"), "customer")
    behavior = params.choice("payment_behavior", "allow_incomplete", tuple(_PAYMENT))
    params.flag("off_session")
    terms = subscribing.read_terms(world, params, customer)
    _read_collection(world, terms, params, customer)
    identifier = world.new_id("subscription")
    items = [proration.read_item(world, identifier, one) for one in params.children("items")]
    subscription = subscribing.subscribe(world, customer, identifier, items, terms)
    _read_cancellation(world, subscription, params)
    for one in params.children("add_invoice_items"):
        _add_invoice_item(world, subscription, one)
    subscribing.begin(world, subscription, terms, _PAYMENT[behavior])
    return subscription


@v1.get("/v1/subscriptions/{subscription}")
def retrieve(world: World, params: Params, subscription: str) -> Obj:
    return world.get("subscription", subscription)


@v1.post("/v1/subscriptions/{subscription}")
def update(world: World, params: Params, subscription: str) -> Obj:
    found = world.get("subscription", subscription)
    if found["status"] in _ENDED and set(params.tree) - {"metadata", "cancellation_details", "expand"}:
        raise Missing("subscription", subscription)
    merge_metadata(found, params)
    set_texts(found, params, "description")
    params.flag("off_session")
    if params.has("default_payment_method"):
        found["default_payment_method"] = _method(world, params, world.get("customer", found["customer"]))
    _read_settings(found, params)
    _read_cancellation(world, found, params)
    _read_pause(world, found, params)
    for one in params.children("add_invoice_items"):
        _add_invoice_item(world, found, one)
    behavior = params.choice("payment_behavior", "allow_incomplete", _BEHAVIORS)
    prorates = params.choice("proration_behavior", "create_prorations", ("create_prorations", "always_invoice", "none"))
    at = params.integer("proration_date") or world.now(found)
    ends = params.text("trial_end")
    if ends == "now":
        end_trial(world, found, payment_behavior=behavior)
    elif ends is not None:
        extend_trial(world, found, params.integer("trial_end") or 0)
    restarts = params.choice("billing_cycle_anchor", "unchanged", ("unchanged", "now")) == "now"
    sent = params.children("items")
    if sent or restarts:
        changes = proration.read_changes(world, found, sent)
        change_plan(world, found, changes, prorates=prorates, payment_behavior=behavior, at=at, restarts=restarts)
    lifecycle.schedule(found)
    world.emit_updated("customer.subscription.updated", found)
    return found


@v1.delete("/v1/subscriptions/{subscription}")
def cancel(world: World, params: Params, subscription: str) -> Obj:
    found = world.get("subscription", subscription)
    if found["status"] in _ENDED:
        raise Missing("subscription", subscription)
    _read_cancellation_details(found, params)
    if params.flag("prorate"):
        changes = [proration.Change(item, None) for item in found["items"]["data"]]
        proration.charge_difference(world, found, changes, lifecycle.period(found), world.now(found), whole=True)
    if params.flag("invoice_now"):
        lifecycle.bill_now(world, found, reason="subscription_update", lines=[], attempted=True)
    lifecycle.cancel(world, found, reason="cancellation_requested")
    return found


@v1.post("/v1/subscriptions/{subscription}/resume")
def resume(world: World, params: Params, subscription: str) -> Obj:
    """A subscription whose trial ended without a card goes on, from now."""
    found = world.get("subscription", subscription)
    if found["status"] != "paused":
        raise InvalidRequest(f"Only a paused subscription can be resumed; this one is {found['status']}.")
    params.choice("billing_cycle_anchor", "now", ("now",))
    params.accept("proration_behavior", "proration_date")
    found["status"] = "past_due"  # until the invoice is paid
    end_trial(world, found, payment_behavior="allow_incomplete")
    if found["status"] == "active":
        world.emit("customer.subscription.resumed", found)
    return found


@v1.get("/v1/subscriptions")
def list_all(world: World, params: Params) -> Obj:
    status = params.text("status")
    wheres = []
    if status is None:
        wheres.append(Where("status", "IS NOT", "canceled"))
    elif status == "ended":
        wheres.append(Where("ended_at", "IS NOT", None))
    elif status != "all":
        wheres.append(Where("status", "IS", status))
    equal = ("customer", "collection_method", "test_clock")
    return page(world, params, "subscription", "/v1/subscriptions", equal=equal, wheres=wheres)


@v1.get("/v1/subscription_items")
def list_items(world: World, params: Params) -> Obj:
    found = world.named("subscription", params.needed("subscription"), "subscription")
    return slice_of(params, found["items"]["data"], "/v1/subscription_items")


def _read_collection(world: World, terms: subscribing.Terms, params: Params, customer: Obj) -> None:
    terms.collection_method = params.choice(
        "collection_method", "charge_automatically", ("charge_automatically", "send_invoice")
    )
    terms.days_until_due = params.integer("days_until_due")
    if (terms.collection_method == "send_invoice") != (terms.days_until_due is not None):
        raise InvalidRequest("`days_until_due` belongs to `collection_method=send_invoice`.", param="days_until_due")
    terms.default_payment_method = _method(world, params, customer)
    terms.automatic_tax = params.child("automatic_tax").flag("enabled")
    settings = params.child("payment_settings")
    terms.saves_payment_method = settings.text("save_default_payment_method")
    settings.accept("payment_method_types")


def _read_settings(subscription: Obj, params: Params) -> None:
    if params.child("automatic_tax").has("enabled"):
        subscription["automatic_tax"]["enabled"] = params.child("automatic_tax").flag("enabled")
    settings = params.child("payment_settings")
    if settings.has("save_default_payment_method"):
        subscription["payment_settings"]["save_default_payment_method"] = settings.text("save_default_payment_method")
    end_behavior = params.child("trial_settings").child("end_behavior")
    if end_behavior.has("missing_payment_method"):
        subscription["trial_settings"]["end_behavior"]["missing_payment_method"] = end_behavior.text(
            "missing_payment_method"
        )


def _method(world: World, params: Params, customer: Obj) -> str | None:
    name = params.text("default_payment_method")
    if name is None:
        return None
    method = payment_methods.usable(world, name, "default_payment_method")
    if method["customer"] != customer["id"]:
        raise InvalidRequest(
            f"The customer does not have a payment method with the ID {name}. The payment method must be attached to "
            "the customer.",
            code="resource_missing",
            param="default_payment_method",
        )
    identifier: str = method["id"]
    return identifier


def _read_cancellation(world: World, subscription: Obj, params: Params) -> None:
    """At the end of the period, at an instant, or, once more, not at all."""
    _read_cancellation_details(subscription, params)
    if params.has("cancel_at_period_end"):
        ends = params.flag("cancel_at_period_end")
        subscription["cancel_at_period_end"] = ends
        subscription["cancel_at"] = lifecycle.period(subscription).end if ends else None
        subscription["canceled_at"] = world.now(subscription) if ends else None
    if params.has("cancel_at"):
        asked = params.text("cancel_at")
        at_end = asked in {"min_period_end", "max_period_end"}
        instant = lifecycle.period(subscription).end if at_end else params.integer("cancel_at")
        subscription.update(cancel_at=instant, cancel_at_period_end=at_end)
        subscription["canceled_at"] = None if instant is None else world.now(subscription)
    lifecycle.schedule(subscription)


def _read_cancellation_details(subscription: Obj, params: Params) -> None:
    sent = params.child("cancellation_details")
    set_texts(subscription["cancellation_details"], sent, "comment", "feedback")


def _read_pause(world: World, subscription: Obj, params: Params) -> None:
    if not params.has("pause_collection"):
        return
    sent = params.child("pause_collection")
    if not sent.tree:
        subscription["pause_collection"] = None
        return
    subscription["pause_collection"] = {
        "behavior": sent.choice("behavior", "", ("keep_as_draft", "mark_uncollectible", "void")),
        "resumes_at": sent.integer("resumes_at"),
    }


def _add_invoice_item(world: World, subscription: Obj, sent: Params) -> None:
    """Something sold once, on the subscription's next invoice."""
    price, quantity = offered_price(world, sent), sent.integer("quantity") or 1
    now = world.now(subscription)
    new_item(
        world,
        world.get("customer", subscription["customer"]),
        amount=rounded(unit_amount(price) * quantity),
        currency=price["currency"],
        description=world.get("product", price["product"])["name"],
        period=Period(now, now),
        pricing=pricing(price),
        quantity=quantity,
        subscription=subscription["id"],
    )
