"""Test clocks (https://docs.stripe.com/api/test_clocks): a time of their own for some customers."""

from sandbox.errors import InvalidRequest, Missing, Obj
from sandbox.listing import page
from sandbox.objects.endings import end_customer
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.world import World

_KIND = "test_helpers.test_clock"


@v1.post("/v1/test_helpers/test_clocks")
def create(world: World, params: Params) -> Obj:
    frozen = params.integer("frozen_time")
    if frozen is None:
        raise InvalidRequest("Missing required param: frozen_time.", code="parameter_missing", param="frozen_time")
    clock = world.new(
        _KIND,
        deletes_after=world.now() + 30 * 86400,
        frozen_time=frozen,
        name=params.text("name"),
        status="ready",
        status_details={},
    )
    world.emit("test_helpers.test_clock.created", clock)
    return clock


@v1.get("/v1/test_helpers/test_clocks/{clock}")
def retrieve(world: World, params: Params, clock: str) -> Obj:
    found = world.get(_KIND, clock)
    if found.get("deleted"):
        raise Missing("test_clock", clock)
    return found


@v1.post("/v1/test_helpers/test_clocks/{clock}/advance")
def advance(world: World, params: Params, clock: str) -> Obj:
    """Everything due on the way happens, in order, before anything else is answered."""
    found = retrieve(world, params, clock)
    to = params.integer("frozen_time")
    if to is None or to <= found["frozen_time"]:
        raise InvalidRequest("The clock can only be advanced to a later time.", param="frozen_time")
    found["status"], found["_advancing_to"] = "advancing", to
    found["status_details"] = {"advancing": {"target_frozen_time": to}}
    world.emit("test_helpers.test_clock.advancing", found)
    return found


@v1.delete("/v1/test_helpers/test_clocks/{clock}")
def delete(world: World, params: Params, clock: str) -> Obj:
    found = retrieve(world, params, clock)
    for customer in world.store.find("customer", test_clock=clock):
        end_customer(world, customer)
    found["deleted"] = True
    world.emit("test_helpers.test_clock.deleted", found)
    return {"id": clock, "object": _KIND, "deleted": True}


@v1.get("/v1/test_helpers/test_clocks")
def list_all(world: World, params: Params) -> Obj:
    return page(world, params, _KIND, "/v1/test_helpers/test_clocks", dated=())
