"""A shop at Stripe's test mode, and a customer with a test card on file."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from moneyed import Money

from billing.convergence.inbox import converge
from billing.models import StripeCustomer, TopUpOrder
from billing.services.auto_top_ups import AutoTopUpTerms, place_due_orders, set_auto_top_up
from billing.services.charging import charge_due_orders
from billing.services.customers import stripe_customer_of
from billing.stripe.client import client
from plans.models import TopUpPack
from tests.world import CREDIT, Actor, World


class Counter:
    """Where packs are sold, at the real time."""

    def __init__(self, now: datetime) -> None:
        self.now, self.world = now, World()
        TopUpPack.objects.create(key="small", name="100 credits", microcredits=100 * CREDIT, price=Money(10, "USD"))

    def customer(self, card: str | None = None) -> Actor:
        """Somebody new at Stripe, with 40 credits; with a card, it is charged while they are away."""
        actor = Actor(f"weir-live-test-{uuid4().hex[:12]}", self.now)
        actor.is_granted(40)
        row = stripe_customer_of(actor.row, self.now)
        if card is not None:
            saved = client().v1.payment_methods.attach(card, {"customer": str(row.stripe_id)})
            default: Any = {"invoice_settings": {"default_payment_method": saved.id}}
            client().v1.customers.update(str(row.stripe_id), default)
            converge("customer", str(row.stripe_id), self.now)
        return actor

    def keeps_above_fifty(self, actor: Actor) -> TopUpOrder:
        """Auto top-up is set, and the workers have done theirs."""
        terms = AutoTopUpTerms(threshold_microcredits=50 * CREDIT, pack="small")
        set_auto_top_up(actor.key, terms, self.now)
        place_due_orders(self.now)
        charge_due_orders(self.now)
        return TopUpOrder.objects.get(customer=actor.row, origin="auto")

    def wait(self, minutes: int) -> None:
        """For us only: at Stripe it stays now."""
        self.now += timedelta(minutes=minutes)
        charge_due_orders(self.now)

    def at_stripe(self, actor: Actor) -> str:
        return str(StripeCustomer.objects.get(customer=actor.row).stripe_id)
