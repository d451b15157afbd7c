"""The life of a subscription: started, renewed, pursued, cancelled. No routes; the clock and the routes come here."""

from sandbox.errors import Obj
from sandbox.objects import invoicing
from sandbox.objects.intervals import next_boundary
from sandbox.objects.invoice_lines import Period, subscription_line
from sandbox.objects.invoicing import DAY
from sandbox.world import World

PATIENCE = 23 * 3600
"""How long a first payment, or a pending update, may stay unfinished."""
WARNING_BEFORE_TRIAL_END = 3 * DAY
_ENDED = ("canceled", "incomplete_expired")


def period(subscription: Obj) -> Period:
    """The current period; all items of a subscription share it here."""
    item = subscription["items"]["data"][0]
    return Period(item["current_period_start"], item["current_period_end"])


def set_period(subscription: Obj, start: int, end: int) -> None:
    for item in subscription["items"]["data"]:
        item["current_period_start"], item["current_period_end"] = start, end


def next_period(subscription: Obj) -> None:
    """Move on to the period after the current one."""
    end = period(subscription).end
    set_period(subscription, end, next_boundary(subscription["billing_cycle_anchor"], recurring(subscription), end))


def recurring(subscription: Obj) -> Obj:
    found: Obj = subscription["items"]["data"][0]["price"]["recurring"]
    return found


def schedule(subscription: Obj) -> None:
    """When the next thing happens to it by itself, if anything does."""
    due: list[int | None] = [subscription["cancel_at"]]
    if subscription["status"] == "incomplete":
        due = [subscription["created"] + PATIENCE]
    elif subscription["status"] in _ENDED or subscription["status"] == "paused":
        due = []
    else:
        due.append(period(subscription).end)
        due += [held["resumes_at"] for held in [subscription["pause_collection"]] if held]
        due += [update["expires_at"] for update in [subscription["pending_update"]] if update]
        if subscription["status"] == "trialing" and not subscription["_warned"]:
            due.append(subscription["trial_end"] - WARNING_BEFORE_TRIAL_END)
    subscription["_due"] = min((instant for instant in due if instant is not None), default=None)


def happen(world: World, subscription: Obj) -> None:
    """Do the one thing that is due next."""
    now = world.now(subscription)
    pause, update = subscription["pause_collection"], subscription["pending_update"]
    if subscription["status"] == "incomplete":
        expire(world, subscription)
    elif update and update["expires_at"] <= now:
        _drop_pending_update(world, subscription)
    elif subscription["cancel_at"] and subscription["cancel_at"] <= now:
        cancel(world, subscription, reason="cancellation_requested")
    elif pause and pause["resumes_at"] and pause["resumes_at"] <= now:
        subscription["pause_collection"] = None
        world.emit_updated("customer.subscription.updated", subscription)
    elif subscription["status"] == "trialing" and not subscription["_warned"] and now < period(subscription).end:
        subscription["_warned"] = True
        world.emit("customer.subscription.trial_will_end", subscription)
    elif subscription["status"] == "trialing" and _ends_unpaid(world, subscription):
        pass
    else:
        _renew(world, subscription)
    schedule(subscription)


def bill_now(world: World, subscription: Obj, *, reason: str, lines: list[Obj], attempted: bool) -> Obj:
    """An invoice at once, with everything that waits; charged right away unless the caller wants to do that."""
    customer = world.get("customer", subscription["customer"])
    now = world.now(customer)
    invoice = invoicing.draft(
        world,
        customer,
        currency=subscription["currency"],
        billing_reason=reason,
        period=Period(now, now),
        lines=lines,
        subscription=subscription,
        auto_advance=True,
        **_collection(subscription, now),
    )
    invoicing.take_pending_items(world, invoice)
    subscription["latest_invoice"] = invoice["id"]
    world.emit("invoice.created", invoice)
    if subscription["collection_method"] == "send_invoice":
        return invoice
    invoicing.finalize(world, invoice)
    if attempted and invoice["status"] == "open":
        invoicing.attempt(world, invoice)
    return invoice


def period_lines(world: World, subscription: Obj) -> list[Obj]:
    """A line for each item's current period."""
    return [
        subscription_line(world, subscription, item, period=period(subscription))
        for item in subscription["items"]["data"]
    ]


def follow_invoice(world: World, invoice: Obj) -> None:
    """Bring a subscription in line with what became of an invoice of its own. Safe to repeat."""
    if invoice["_subscription"] is None:
        return
    subscription = world.get("subscription", invoice["_subscription"])
    if subscription["status"] in _ENDED:
        return
    if invoice["status"] == "paid" or (invoice["status"] == "open" and _is_on_its_way(world, invoice)):
        _paid(world, subscription, invoice)
    elif invoice["status"] == "open" and invoice["attempted"]:
        _unpaid(world, subscription, invoice)
    elif invoice["status"] == "void" and subscription["status"] == "incomplete":
        expire(world, subscription)
    elif invoice["status"] == "void" and subscription["latest_invoice"] == invoice["id"]:
        _become(world, subscription, "active")
    schedule(subscription)


def cancel(world: World, subscription: Obj, *, reason: str) -> None:
    """The end. What is unpaid is no longer pursued."""
    now = world.now(subscription)
    subscription.update(
        status="canceled", ended_at=now, canceled_at=subscription["canceled_at"] or now, pending_update=None
    )
    subscription["cancellation_details"]["reason"] = subscription["cancellation_details"]["reason"] or reason
    _stop_pursuing(world, subscription)
    schedule(subscription)
    world.emit("customer.subscription.deleted", subscription)


def expire(world: World, subscription: Obj) -> None:
    """The first payment never came."""
    subscription.update(status="incomplete_expired", ended_at=world.now(subscription))
    for invoice in world.store.find("invoice", _subscription=subscription["id"], status="open"):
        invoicing.void(world, invoice)
    schedule(subscription)
    world.emit_updated("customer.subscription.updated", subscription)


def _renew(world: World, subscription: Obj) -> None:
    customer = world.get("customer", subscription["customer"])
    was = period(subscription)
    next_period(subscription)
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    pause = subscription["pause_collection"]
    invoice = invoicing.draft(
        world,
        customer,
        currency=subscription["currency"],
        billing_reason="subscription_cycle",
        period=was,
        lines=period_lines(world, subscription),
        subscription=subscription,
        auto_advance=pause is None and subscription["status"] != "unpaid",
        **_collection(subscription, world.now(customer)),
    )
    invoicing.take_pending_items(world, invoice)
    subscription["latest_invoice"] = invoice["id"]
    world.emit_updated("customer.subscription.updated", subscription)
    world.emit("invoice.created", invoice)
    if pause is not None and pause["behavior"] != "keep_as_draft":
        invoicing.finalize(world, invoice)
        if invoice["status"] == "open":
            (invoicing.void if pause["behavior"] == "void" else invoicing.mark_uncollectible)(world, invoice)


def _collection(subscription: Obj, now: int) -> Obj:
    days = subscription["days_until_due"]
    return {
        "collection_method": subscription["collection_method"],
        "due_date": None if days is None else now + days * DAY,
    }


def _ends_unpaid(world: World, subscription: Obj) -> bool:
    """Whether a trial ends here for want of a card: cancelled or paused, if that was asked for."""
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    customer = world.get("customer", subscription["customer"])
    has_card = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    if behavior == "create_invoice" or has_card:
        return False
    if behavior == "cancel":
        cancel(world, subscription, reason="cancellation_requested")
    else:
        subscription["status"] = "paused"
        world.emit_updated("customer.subscription.updated", subscription)
        world.emit("customer.subscription.paused", subscription)
    return True


def _is_on_its_way(world: World, invoice: Obj) -> bool:
    intent = world.get("payment_intent", invoice["_intent"]) if invoice["_intent"] else None
    return intent is not None and intent["status"] == "processing"


def _paid(world: World, subscription: Obj, invoice: Obj) -> None:
    pending = subscription["_pending"]
    if pending is not None and pending["invoice"] == invoice["id"]:
        subscription["items"]["data"] = pending["items"]
        subscription["billing_cycle_anchor"] = pending["billing_cycle_anchor"]
        subscription.update(pending_update=None, _pending=None)
        world.emit_updated("customer.subscription.updated", subscription)
        world.emit("customer.subscription.pending_update_applied", subscription)
    elif invoice["id"] == subscription["latest_invoice"]:
        on_trial = subscription["trial_end"] is not None and world.now(subscription) < subscription["trial_end"]
        _become(world, subscription, "trialing" if on_trial else "active")


def _unpaid(world: World, subscription: Obj, invoice: Obj) -> None:
    if subscription["_pending"] is not None and subscription["_pending"]["invoice"] == invoice["id"]:
        return
    if invoice["billing_reason"] == "subscription_create":
        return
    if subscription["status"] in {"active", "trialing"}:
        _become(world, subscription, "past_due")
    exhausted = invoice["auto_advance"] and invoice["next_payment_attempt"] is None
    if exhausted and subscription["status"] == "past_due":
        if world.settings.after_last_retry == "cancel":
            cancel(world, subscription, reason="payment_failed")
        elif world.settings.after_last_retry == "unpaid":
            _become(world, subscription, "unpaid")


def _become(world: World, subscription: Obj, status: str) -> None:
    if subscription["status"] != status and subscription["status"] != "paused":
        subscription["status"] = status
        world.emit_updated("customer.subscription.updated", subscription)


def _drop_pending_update(world: World, subscription: Obj) -> None:
    invoice = world.get("invoice", subscription["_pending"]["invoice"])
    subscription.update(pending_update=None, _pending=None)
    if invoice["status"] == "open":
        invoicing.void(world, invoice)
    world.emit("customer.subscription.pending_update_expired", subscription)


def _stop_pursuing(world: World, subscription: Obj) -> None:
    for invoice in world.store.find("invoice", _subscription=subscription["id"]):
        if invoice["status"] in {"draft", "open"}:
            invoice.update(auto_advance=False, next_payment_attempt=None)
            invoicing.schedule(world, invoice)
