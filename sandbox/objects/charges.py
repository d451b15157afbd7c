"""Charges (https://docs.stripe.com/api/charges): read only, since payment intents make them."""

from sandbox.errors import Obj
from sandbox.listing import page
from sandbox.objects.fields import merge_metadata, set_texts
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.world import World


@v1.get("/v1/charges/{charge}")
def retrieve(world: World, params: Params, charge: str) -> Obj:
    return world.get("charge", charge)


@v1.post("/v1/charges/{charge}")
def update(world: World, params: Params, charge: str) -> Obj:
    found = world.get("charge", charge)
    set_texts(found, params, "description", "receipt_email")
    merge_metadata(found, params)
    world.emit_updated("charge.updated", found)
    return found


@v1.get("/v1/charges")
def list_all(world: World, params: Params) -> Obj:
    return page(world, params, "charge", "/v1/charges", equal=("customer", "payment_intent"))
