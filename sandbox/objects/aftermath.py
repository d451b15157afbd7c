"""What follows from a payment: the invoice it was for, that invoice's subscription, the checkout it came from."""

from sandbox.cards import Decline
from sandbox.errors import Obj
from sandbox.objects import checkout_completion, invoicing, lifecycle, payments, setup_intents
from sandbox.world import World


def authenticate(world: World, intent: Obj, *, succeeds: bool) -> Decline | None:
    """The customer answered their bank about this payment or setup intent."""
    if intent["object"] == "setup_intent":
        declined = setup_intents.authenticate(world, intent, succeeds=succeeds)
        if intent.get("_session"):
            checkout_completion.follow_setup(world, world.get("checkout.session", intent["_session"]), intent)
        return declined
    decline = payments.authenticate(world, intent, succeeds=succeeds)
    follow(world, intent)
    return decline


def settle(world: World, intent: Obj) -> None:
    """A payment that takes days has come through or failed."""
    payments.settle(world, intent)
    follow(world, intent)


def follow(world: World, intent: Obj) -> None:
    """Bring all that hangs on this payment intent in line with it. Safe to repeat."""
    if intent.get("_invoice"):
        invoice = world.get("invoice", intent["_invoice"])
        invoicing.follow_intent(world, invoice, intent)
        lifecycle.follow_invoice(world, invoice)
    if intent.get("_session"):
        checkout_completion.follow_intent(world, world.get("checkout.session", intent["_session"]), intent)
