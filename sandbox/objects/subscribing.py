"""How a subscription begins: by API or at the end of a checkout. No routes."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from sandbox.errors import CardErrorUndone, InvalidRequest, Obj
from sandbox.money import rounded
from sandbox.objects import lifecycle
from sandbox.objects.catalogue import unit_amount
from sandbox.objects.fields import metadata
from sandbox.objects.intervals import moved, next_boundary
from sandbox.objects.invoice_lines import Period, subscription_line
from sandbox.objects.invoicing import DAY
from sandbox.objects.proration import check_items
from sandbox.params import Params
from sandbox.world import World

Payment = Literal["attempted", "awaited", "certain"]
"""Try the card and go on; only make the invoice; or try the card and undo everything if it fails."""


@dataclass
class Terms:
    """What is agreed besides the items. Instants are seconds since the epoch."""

    trial_end: int | None = None
    anchor: int | None = None
    prorated: bool = True
    default_payment_method: str | None = None
    collection_method: str = "charge_automatically"
    days_until_due: int | None = None
    description: str | None = None
    missing_payment_method: str = "create_invoice"
    automatic_tax: bool = False
    saves_payment_method: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


def read_terms(world: World, params: Params, customer: Obj | None) -> Terms:
    """What subscription creation and a checkout's ``subscription_data`` have in common."""
    now = world.now(customer)
    days, trial_end = params.integer("trial_period_days"), params.text("trial_end")
    if trial_end is not None and days is not None:
        raise InvalidRequest("You may only specify one of these parameters: trial_period_days, trial_end.")
    if days:
        ends: int | None = now + days * DAY
    else:
        ends = None if trial_end in {None, "now"} else params.integer("trial_end")
    if ends is not None and ends <= now:
        raise InvalidRequest("Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end")
    anchor = params.integer("billing_cycle_anchor")
    if anchor is not None and anchor <= now:
        raise InvalidRequest("Invalid timestamp: must be in the future.", param="billing_cycle_anchor")
    params.child("billing_mode").choice("type", "flexible", ("flexible",))
    params.child("billing_mode").child("flexible").accept("proration_discounts")
    params.child("invoice_settings").child("issuer").choice("type", "self", ("self",))
    end_behavior = params.child("trial_settings").child("end_behavior")
    return Terms(
        trial_end=ends,
        anchor=anchor,
        prorated=params.choice("proration_behavior", "create_prorations", ("create_prorations", "none")) != "none",
        description=params.text("description"),
        missing_payment_method=end_behavior.text("missing_payment_method") or "create_invoice",
        metadata=metadata(params),
    )


def subscribe(world: World, customer: Obj, identifier: str, items: list[Obj], terms: Terms) -> Obj:
    """A subscription to these items that has not begun; its id is given, since the items name it already."""
    if not items:
        raise InvalidRequest("Missing required param: items.", code="parameter_missing", param="items")
    check_items(items)
    now = world.now(customer)
    currency = items[0]["price"]["currency"]
    template: Obj = {
        "id": identifier,
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": terms.automatic_tax, "liability": None},
        "billing_cycle_anchor": now,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}, "updated_at": now},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": terms.collection_method,
        "currency": currency,
        "customer": customer["id"],
        "days_until_due": terms.days_until_due,
        "default_payment_method": terms.default_payment_method,
        "default_source": None,
        "default_tax_rates": [],
        "description": terms.description,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "items": {
            "object": "list",
            "data": items,
            "has_more": False,
            "url": f"/v1/subscription_items?subscription={identifier}",
        },
        "latest_invoice": None,
        "metadata": terms.metadata,
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": terms.saves_payment_method or "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": now,
        "status": "incomplete",
        "test_clock": customer["test_clock"],
        "transfer_data": None,
        "trial_end": terms.trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": terms.missing_payment_method}},
        "trial_start": None if terms.trial_end is None else now,
        "_pending": None,
        "_warned": False,
    }
    subscription = world.adopt(template | world.basics("subscription", customer))
    _set_first_period(subscription, terms, now)
    lifecycle.schedule(subscription)
    return subscription


def begin(world: World, subscription: Obj, terms: Terms, payment: Payment) -> Obj:
    """Its first invoice, and the status that follows from it. Raises CardErrorUndone if payment is to be certain."""
    world.emit("customer.subscription.created", subscription)
    lines = _first_lines(world, subscription, terms)
    invoice = lifecycle.bill_now(
        world, subscription, reason="subscription_create", lines=lines, attempted=payment != "awaited"
    )
    if subscription["collection_method"] == "send_invoice":
        subscription["status"] = "trialing" if terms.trial_end else "active"
        lifecycle.schedule(subscription)
        world.emit_updated("customer.subscription.updated", subscription)
    lifecycle.follow_invoice(world, invoice)
    if payment == "certain" and subscription["status"] == "incomplete":
        raise undone_for(world, invoice)
    return invoice


def undone_for(world: World, invoice: Obj) -> CardErrorUndone:
    """The refusal of a caller who wanted the payment or nothing."""
    intent = world.get("payment_intent", invoice["_intent"])
    error = intent["last_payment_error"] or {}
    if intent["status"] == "requires_action":
        return CardErrorUndone(
            "Payment requires additional action.", code="subscription_payment_intent_requires_action"
        )
    return CardErrorUndone(
        error.get("message", "This customer has no attached payment source or default payment method."),
        code=error.get("code", "resource_missing"),
        **({"decline_code": error["decline_code"]} if "decline_code" in error else {}),
    )


def _set_first_period(subscription: Obj, terms: Terms, now: int) -> None:
    if terms.trial_end is not None:
        subscription["billing_cycle_anchor"] = end = terms.trial_end
    elif terms.anchor is not None:
        subscription["billing_cycle_anchor"] = terms.anchor
        end = _first_end(terms.anchor, lifecycle.recurring(subscription), now)
    else:
        end = next_boundary(now, lifecycle.recurring(subscription), now)
    lifecycle.set_period(subscription, now, end)


def _first_end(anchor: int, recurring: Obj, now: int) -> int:
    """The first boundary of an anchor that may lie several periods ahead."""
    times = 0
    while moved(anchor, recurring, times - 1) > now:
        times -= 1
    return moved(anchor, recurring, times)


def _first_lines(world: World, subscription: Obj, terms: Terms) -> list[Obj]:
    period = lifecycle.period(subscription)
    if terms.trial_end is not None:
        return [
            subscription_line(world, subscription, item, period=period, amount=0, description="Free trial")
            for item in subscription["items"]["data"]
        ]
    if terms.anchor is None:
        return lifecycle.period_lines(world, subscription)
    share = _share_of_whole(subscription, period) if terms.prorated else Fraction(0)
    return [
        subscription_line(
            world,
            subscription,
            item,
            period=period,
            amount=rounded(Fraction(unit_amount(item["price"])) * item["quantity"] * share),
        )
        for item in subscription["items"]["data"]
    ]


def _share_of_whole(subscription: Obj, period: Period) -> Fraction:
    """How much of an ordinary period a first, shorter one is."""
    anchor, recurring = subscription["billing_cycle_anchor"], lifecycle.recurring(subscription)
    times = 0
    while moved(anchor, recurring, times) > period.start:
        times -= 1
    return Fraction(period.end - period.start, period.end - moved(anchor, recurring, times))
