"""Events (https://docs.stripe.com/api/events): what a sweep lists when webhooks were lost. Kept for thirty days."""

from sandbox.errors import InvalidRequest, Obj
from sandbox.listing import page
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.store import Where
from sandbox.world import World

KEPT_SECONDS = 30 * 86400


@v1.get("/v1/events/{event}")
def retrieve(world: World, params: Params, event: str) -> Obj:
    return world.get("event", event)


@v1.get("/v1/events")
def list_all(world: World, params: Params) -> Obj:
    types = params.texts("types")
    one = params.text("type")
    if one and types:
        raise InvalidRequest("You may only specify one of these parameters: type, types.")
    wheres = [Where("created", ">", world.now() - KEPT_SECONDS)]
    wanted = types or ([one] if one else [])
    if wanted:
        wheres.append(Where("type", "LIKE ANY", wanted))
    if params.has("delivery_success"):
        wheres.append(Where("_undelivered", "IS" if params.flag("delivery_success") else "IS NOT", None))
    return page(world, params, "event", "/v1/events", wheres=wheres)
