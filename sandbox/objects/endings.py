"""Deleting a customer, with all that hangs on it."""

from sandbox.errors import Missing, Obj
from sandbox.objects import customers, lifecycle, payment_methods
from sandbox.params import Params
from sandbox.routes import v1
from sandbox.world import World


@v1.delete("/v1/customers/{customer}")
def delete_customer(world: World, params: Params, customer: str) -> Obj:
    found = world.get("customer", customer)
    if found.get("deleted"):
        raise Missing("customer", customer)
    end_customer(world, found)
    return customers.tombstone(found)


def end_customer(world: World, customer: Obj) -> None:
    """Subscriptions end, cards are let go; payments and invoices stay on the books."""
    for subscription in world.store.find("subscription", customer=customer["id"]):
        if subscription["ended_at"] is None:
            lifecycle.cancel(world, subscription, reason="cancellation_requested")
    for method in world.store.find("payment_method", customer=customer["id"]):
        payment_methods.let_go(world, method)
    world.emit("customer.deleted", customer)
    customer["deleted"] = True
