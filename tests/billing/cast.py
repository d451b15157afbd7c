"""The cast of the money tests: a shop with packs on sale, buyers, and the post that brings Stripe's webhooks."""

import random
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.test import RequestFactory
from moneyed import Money

from billing.convergence.inbox import process_due_events
from billing.models import Payment, StripeEvent, TopUpOrder
from billing.services.top_ups import TopUpRequest, request_top_up
from billing.webhook import stripe_webhook
from entitlements.audit import audit
from plans.models import TopUpPack
from tests.sandbox.process import SandboxProcess
from tests.world import CREDIT, Actor, World, assert_ledger_explains

GUARDS = "guards_are_in_force"
"""Tests that commit are undone by TRUNCATE, so their database is without one of the guards."""

URLS = {"success_url": "https://shop.example/thanks", "cancel_url": "https://shop.example/packs"}


class Shop:
    """Packs in three currencies, and everything that happens at the counter."""

    def __init__(self, stripe: SandboxProcess, now: datetime) -> None:
        self.world, self.stripe, self.now = World(), stripe, now
        self.small = self.pack("small", "10.00", credits=100)
        self.big = self.pack("big", "80.00", credits=1000, bonus=50, expires_after_days=365)
        self.last_read: str | None = None

    def pack(
        self, key: str, price: str, *, credits: int, currency: str = "USD", bonus: int = 0, **more: Any
    ) -> TopUpPack:
        return TopUpPack.objects.create(
            key=key,
            name=key.title(),
            microcredits=credits * CREDIT,
            bonus_microcredits=bonus * CREDIT,
            price=Money(price, currency),
            **more,
        )

    def buyer(self, key: str = "acme", currency: str = "USD") -> "Buyer":
        return Buyer(self, key, currency)

    # The post

    def letters(self) -> list[Any]:
        """Webhooks that Stripe has sent since somebody last looked."""
        fresh = self.stripe.letters(after=self.last_read)
        if fresh:
            self.last_read = fresh[-1]["event"]
        return fresh

    def post(self, letter: Any) -> int:
        """Bring one webhook to the endpoint. Returns its answer."""
        # Not by a test client, which loads all middleware anew each time.
        request = RequestFactory().post(
            "/webhooks/stripe",
            data=letter["body"],
            content_type="application/json",
            headers={"Stripe-Signature": letter["signature"]},
        )
        return stripe_webhook(request).status_code

    def deliver(self, letters: Iterable[Any] | None = None) -> None:
        """Bring what was sent, in its order, and let the workers do theirs."""
        for letter in self.letters() if letters is None else letters:
            assert self.post(letter) == 200
        process_due_events(self.now)
        assert list(StripeEvent.objects.exclude(error="").values_list("type", "error")) == []

    def deliver_badly(self, dice: random.Random) -> None:
        """Shuffled, half lost, half of the rest doubled."""
        kept = [letter for letter in self.letters() if dice.random() < 0.5]
        kept += [letter for letter in kept if dice.random() < 0.5]
        dice.shuffle(kept)
        self.deliver(kept)

    # What must be true at any time

    def assert_proven(self) -> None:
        """Every promise of the ledger holds, and Stripe and we agree on the money."""
        faults = [
            (outcome.check.name, outcome.faults)
            for outcome in audit()
            if outcome.found and outcome.check.name != GUARDS
        ]
        assert faults == [], faults
        ours: dict[str, list[Any]] = {}
        for payment in Payment.objects.exclude(grant_id=None):
            sums = ours.setdefault(str(payment.received.currency).lower(), [0, 0, 0])
            for place, amount in enumerate((payment.received, payment.refunded, payment.disputed)):
                sums[place] += amount.amount
        theirs = self.stripe.totals()
        places = {"usd": 2, "eur": 2, "jpy": 0, "kwd": 3}
        scaled = {code: [int(part.scaleb(places[code])) for part in sums] for code, sums in ours.items()}
        assert scaled == {
            code: [total["charged"], total["refunded"], total["disputed"]] for code, total in theirs.items()
        }


class Buyer(Actor):
    """A customer who pays."""

    def __init__(self, shop: Shop, key: str, currency: str) -> None:
        super().__init__(key, shop.now)
        self.shop = shop
        if currency != "USD":
            self.row.currency = currency
            self.row.save()

    def orders(self, pack: str = "small", key: str = "order-1", **more: Any) -> TopUpOrder:
        request = TopUpRequest(**({"key": key, "pack": pack} | URLS | more))
        return request_top_up(self.key, request, self.shop.now)[0]

    def buys(self, pack: str = "small", key: str = "order-1", card: str = "pm_card_visa", **more: Any) -> TopUpOrder:
        """Orders and pays; whether we have heard of it is the post's matter."""
        order = self.orders(pack, key, **more)
        self.shop.stripe.pay(str(order.checkout_session_id), card)
        return order

    def order(self, key: str = "order-1") -> TopUpOrder:
        return TopUpOrder.objects.get(customer=self.row, key=key)

    def assert_explained(self) -> None:
        assert_ledger_explains(self.row.pk)
