"""Time passing: whatever is due happens at its own instant, in order, however far a clock is moved at once."""

from functools import partial

from sandbox.errors import Obj
from sandbox.objects import aftermath, checkout_completion, invoicing, lifecycle
from sandbox.world import World

_MOST = 10_000
"""Happenings one catching up may bring; more is a mistake that would never end."""


def catch_up(world: World) -> None:
    """Let everything happen that is due by now, on the sandbox's clock and on every test clock. Not inside `work`."""
    with world.lock:
        _run(world, "", world.now())
        for name, until in world.work(lambda: _test_clocks(world)):
            _run(world, name, until)
            world.work(partial(_arrive, world, name))


def advance(world: World, to: int) -> None:
    """Move the sandbox's own clock to that instant, with all that happens on the way."""
    with world.lock:
        world.work(lambda: world.move_clock(max(to, world.now())))
        catch_up(world)


def _run(world: World, clock: str, until: int) -> None:
    for _ in range(_MOST):
        if not world.work(lambda: _happen_next(world, clock, until)):
            return
    raise RuntimeError(f"more than {_MOST} things were due at once on the sandbox's clock")


def _happen_next(world: World, clock: str, until: int) -> bool:
    obj = world.store.next_due(clock, until)
    if obj is None:
        return False
    world.request = {"id": None, "idempotency_key": None}
    with world.at(obj["_due"]):
        _happen(world, obj)
    return True


def _happen(world: World, obj: Obj) -> None:
    if obj["object"] == "subscription":
        lifecycle.happen(world, obj)
    elif obj["object"] == "checkout.session":
        checkout_completion.expire_session(world, obj)
    elif obj["object"] == "invoice":
        _go_on(world, obj)
    elif obj["object"] == "payment_intent":
        aftermath.settle(world, obj)


def _go_on(world: World, invoice: Obj) -> None:
    if invoice["status"] == "draft":
        invoicing.finalize(world, invoice)
        if invoice["collection_method"] == "send_invoice":
            world.emit("invoice.sent", invoice)
    if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        invoicing.attempt(world, invoice)
    invoicing.schedule(world, invoice)
    lifecycle.follow_invoice(world, invoice)


def _test_clocks(world: World) -> list[tuple[str, int]]:
    clocks = world.store.find("test_helpers.test_clock")
    return [(clock["id"], clock.get("_advancing_to") or clock["frozen_time"]) for clock in clocks]


def _arrive(world: World, name: str) -> None:
    clock = world.get("test_helpers.test_clock", name)
    if clock["status"] != "advancing":
        return
    clock.update(frozen_time=clock.pop("_advancing_to"), status="ready", status_details={})
    world.emit("test_helpers.test_clock.ready", clock)
