"""Changing a running subscription: other items, another rhythm, an earlier or later end of its trial. No routes."""

from copy import deepcopy
from typing import NamedTuple

from sandbox.errors import InvalidRequest, NotSimulated, Obj
from sandbox.objects import invoicing, lifecycle, proration, subscribing
from sandbox.objects.intervals import next_boundary
from sandbox.objects.proration import Change
from sandbox.render import visible
from sandbox.world import World


class _Before(NamedTuple):
    """What a change that is not paid goes back to."""

    items: list[Obj]
    anchor: int


def change_plan(
    world: World,
    subscription: Obj,
    changes: list[Change],
    *,
    prorates: str,
    payment_behavior: str,
    at: int,
    restarts: bool,
) -> None:
    """Apply changes as of `at`. A new interval starts a new period, which is invoiced at once.

    Otherwise differences wait for the next invoice, unless `prorates` is ``always_invoice`` (or ``none``).
    """
    was = lifecycle.period(subscription)
    if not was.start <= at < was.end:
        raise InvalidRequest("The proration date must be within the current period.", param="proration_date")
    before = _Before(deepcopy(subscription["items"]["data"]), subscription["billing_cycle_anchor"])
    rhythm = _rhythm(subscription)
    proration.apply(subscription, changes)
    on_trial = subscription["status"] == "trialing"
    restarts = (restarts or _rhythm(subscription) != rhythm) and not on_trial
    if prorates != "none" and not on_trial:
        credited = changes if not restarts else _everything(before.items)
        proration.charge_difference(world, subscription, credited, was, at, whole=restarts)
    lines: list[Obj] = []
    if restarts:
        _restart(world, subscription)
        lines = lifecycle.period_lines(world, subscription)
    if restarts or (prorates == "always_invoice" and not on_trial):
        _bill(world, subscription, lines, payment_behavior, before)


def end_trial(world: World, subscription: Obj, *, payment_behavior: str) -> None:
    """The trial, or the pause that followed it, is over now: the first paid period begins."""
    if subscription["status"] == "trialing":
        subscription.update(status="active", trial_end=world.now(subscription))
    before = _Before(deepcopy(subscription["items"]["data"]), subscription["billing_cycle_anchor"])
    _restart(world, subscription)
    _bill(world, subscription, lifecycle.period_lines(world, subscription), payment_behavior, before)


def extend_trial(world: World, subscription: Obj, until: int) -> None:
    """The current period becomes, or stays, a trial until then."""
    if until <= world.now(subscription):
        raise InvalidRequest("Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end")
    if subscription["status"] != "trialing":
        raise NotSimulated("The sandbox does not simulate trials that begin in the middle of a paid period.")
    subscription.update(trial_end=until, billing_cycle_anchor=until, _warned=False)
    lifecycle.set_period(subscription, lifecycle.period(subscription).start, until)


def _restart(world: World, subscription: Obj) -> None:
    now = world.now(subscription)
    subscription["billing_cycle_anchor"] = now
    lifecycle.set_period(subscription, now, next_boundary(now, lifecycle.recurring(subscription), now))


def _bill(world: World, subscription: Obj, lines: list[Obj], payment_behavior: str, before: _Before) -> None:
    """Invoice the change at once. What happens if it is not paid is the caller's choice."""
    invoice = lifecycle.bill_now(
        world,
        subscription,
        reason="subscription_update",
        lines=lines,
        attempted=payment_behavior != "default_incomplete",
    )
    if invoice["status"] != "open":
        lifecycle.follow_invoice(world, invoice)
    elif payment_behavior == "error_if_incomplete":
        raise subscribing.undone_for(world, invoice)
    elif payment_behavior == "pending_if_incomplete":
        _keep_for_later(world, subscription, invoice, before)
    else:
        invoice["attempted"] = True
        lifecycle.follow_invoice(world, invoice)


def _keep_for_later(world: World, subscription: Obj, invoice: Obj, before: _Before) -> None:
    """The change waits until its invoice is paid, and is dropped if that does not happen in time."""
    wanted, anchor = subscription["items"]["data"], subscription["billing_cycle_anchor"]
    subscription["items"]["data"] = before.items
    subscription["billing_cycle_anchor"] = before.anchor
    subscription["latest_invoice"] = invoice["id"]
    subscription["_pending"] = {"items": wanted, "billing_cycle_anchor": anchor, "invoice": invoice["id"]}
    subscription["pending_update"] = {
        "billing_cycle_anchor": anchor if anchor != before.anchor else None,
        "discounts": None,
        "expires_at": world.now(subscription) + lifecycle.PATIENCE,
        "metadata": None,
        "subscription_items": visible(wanted),
        "trial_end": None,
        "trial_from_plan": None,
    }
    invoice["auto_advance"] = False
    invoice["next_payment_attempt"] = None
    invoicing.schedule(world, invoice)


def _everything(items: list[Obj]) -> list[Change]:
    return [Change(item, None) for item in items]


def _rhythm(subscription: Obj) -> tuple[str, int]:
    its = lifecycle.recurring(subscription)
    return its["interval"], its["interval_count"]
