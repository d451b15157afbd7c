"""What stories of money in begin with: a sandbox in Stripe's place, our catalogue sold there, customers with cards."""

import json
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from billing.convergence.inbox import keep_events, process_due_events
from billing.convergence.sweep import sweep
from billing.models import StripeCustomer, StripeEvent, StripeSubscription
from billing.prices.applying import apply_all
from billing.services.customers import converge_customer, stripe_customer_of
from billing.stripe.client import client
from billing.stripe.webhooks import read_webhook
from tests.sandbox.process import SandboxProcess
from tests.world import Actor, World

if TYPE_CHECKING:
    from stripe import StripeClient


@pytest.fixture
def shop(stripe: SandboxProcess, db: None) -> "Shop":
    """What is on sale, and Stripe to sell it through."""
    return Shop(stripe)


class Shop:
    """Our catalogue at Stripe, and its clock. Webhooks come when the test lets them."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox, self.world = sandbox, World()
        self._last_event: str | None = None

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.sandbox.control("GET", "/sandbox/clock")["now"], UTC)

    @property
    def stripe(self) -> "StripeClient":
        return client()

    def opens(self) -> None:
        """Everything published is sold at Stripe."""
        apply_all(self.now)

    def customer(self, key: str = "acme", *, card: str | None = None, **parts: Any) -> Actor:
        """A customer of ours and Stripe's, with a card on file or not."""
        actor = Actor(key, self.now)
        for name, value in parts.items():
            setattr(actor.row, name, value)
        actor.row.save()
        row = stripe_customer_of(actor.row, self.now)
        if card is not None:
            self.saves_card(row, card)
        return actor

    def saves_card(self, row: StripeCustomer, card: str) -> None:
        stripe_id = str(row.stripe_id)
        method = self.stripe.v1.payment_methods.attach(card, {"customer": stripe_id})
        self.stripe.v1.customers.update(stripe_id, {"invoice_settings": {"default_payment_method": method.id}})
        converge_customer(stripe_id, self.now)

    def card_becomes(self, behavior: str) -> None:
        """Every saved card starts to behave like this one."""
        for method in self.sandbox.objects("payment_method"):
            self.sandbox.control("POST", f"/sandbox/payment_methods/{method['id']}", behaves_like=behavior)

    def loses_answers(self, fault: str, path: str, method: str = "POST") -> None:
        """The next call's answer is lost, and the two that the SDK tries after it never arrive."""
        self.sandbox.fails(fault, path, method=method)
        self.sandbox.fails("drop_before", path, method=method, times=2)

    def hears(self, *, loses: str = "nothing") -> None:
        """All webhooks since the last time arrive, except those of a kind that are lost; and are worked through."""
        for letter in self.sandbox.letters(after=self._last_event):
            body, signature = letter["body"].encode(), letter["signature"]
            self._last_event = json.loads(body)["id"]
            notice = read_webhook(body, signature)
            if notice is not None and not notice.type.startswith(loses):
                keep_events([notice], now=self.now)
        process_due_events(self.now)
        assert list(StripeEvent.objects.exclude(error="").values_list("type", "error")) == []

    def hears_badly(self, dice: random.Random) -> None:
        """Half of the webhooks arrive, half of those twice, in any order; what fails is tried again later."""
        letters = self.sandbox.letters(after=self._last_event)
        if letters:
            self._last_event = letters[-1]["event"]
        kept = [letter for letter in letters if dice.random() < 0.5]
        kept += [letter for letter in kept if dice.random() < 0.5]
        dice.shuffle(kept)
        for letter in kept:
            notice = read_webhook(letter["body"].encode(), letter["signature"])
            if notice is not None:
                keep_events([notice], now=self.now)
        process_due_events(self.now)

    def sweeps(self) -> None:
        """The sweep comes round."""
        list(sweep(self.now, repair=True))

    def later(self, *, hears: bool = True, **amount: int) -> None:
        """Time passes at Stripe, and we hear what happened."""
        self.sandbox.later(**amount)
        if hears:
            self.hears()

    def subscription(self, actor: Actor) -> StripeSubscription:
        return StripeSubscription.objects.get(customer=actor.row, surplus=False)
