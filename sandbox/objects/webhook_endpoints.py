"""Webhook endpoints (https://docs.stripe.com/api/webhook_endpoints)."""

from sandbox.errors import Obj
from sandbox.listing import page
from sandbox.objects.fields import merge_metadata, metadata, set_texts
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.world import World


@v1.post("/v1/webhook_endpoints")
def create(world: World, params: Params) -> Obj:
    """Only this answer tells the secret."""
    params.accept("api_version", "connect")
    endpoint = new_endpoint(world, params.needed("url"), params.texts("enabled_events"))
    endpoint["metadata"] = metadata(params)
    endpoint["description"] = params.text("description")
    return endpoint | {"secret": endpoint["_secret"]}


def new_endpoint(world: World, url: str, events: list[str], secret: str | None = None) -> Obj:
    """An endpoint for these kinds of events; ``*`` is all of them."""
    identifier = world.new_id("webhook_endpoint")
    endpoint: Obj = {
        "id": identifier,
        "api_version": None,
        "application": None,
        "description": None,
        "enabled_events": events,
        "metadata": {},
        "status": "enabled",
        "url": url,
        "_secret": secret or f"whsec_{world.secret(identifier, 32)}",
    }
    return world.adopt(endpoint | world.basics("webhook_endpoint"))


@v1.get("/v1/webhook_endpoints/{endpoint}")
def retrieve(world: World, params: Params, endpoint: str) -> Obj:
    return world.get("webhook_endpoint", endpoint)


@v1.post("/v1/webhook_endpoints/{endpoint}")
def update(world: World, params: Params, endpoint: str) -> Obj:
    found = world.get("webhook_endpoint", endpoint)
    set_texts(found, params, "url", "description")
    merge_metadata(found, params)
    if params.has("enabled_events"):
        found["enabled_events"] = params.texts("enabled_events")
    if params.has("disabled"):
        found["status"] = "disabled" if params.flag("disabled") else "enabled"
    return found


@v1.delete("/v1/webhook_endpoints/{endpoint}")
def delete(world: World, params: Params, endpoint: str) -> Obj:
    world.get("webhook_endpoint", endpoint)["deleted"] = True
    return {"id": endpoint, "object": "webhook_endpoint", "deleted": True}


@v1.get("/v1/webhook_endpoints")
def list_all(world: World, params: Params) -> Obj:
    return page(world, params, "webhook_endpoint", "/v1/webhook_endpoints", dated=())
