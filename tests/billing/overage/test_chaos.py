"""Months of subscriptions and overage with half of everything lost: each has, and owes, exactly what is right."""

import contextlib
import random
from decimal import Decimal

import pytest

from billing.models import OverageItem, StripeInvoice
from billing.overage.accruing import accrue
from billing.overage.invoicing import invoice_all
from billing.stripe.errors import StripeUnavailable
from billing.subscriptions.due import follow_due
from billing.subscriptions.starting import Wanted, start_with_card
from entitlements.models import CreditGrant
from tests.billing.stripe_shop import Shop
from tests.world import CREDIT, assert_ledger_explains

CUSTOMERS, MONTHS = 4, 2


@pytest.mark.parametrize("seed", ["1"])
def test_nothing_is_lost_and_nothing_is_charged_twice(shop: Shop, seed: str) -> None:
    dice = random.Random(seed)
    soft = shop.world.plan("soft", price="10", included=100, at_limit="overage", overage_price="0.0133")
    shop.opens()
    actors = [shop.customer(f"c{number}", card="pm_card_visa") for number in range(CUSTOMERS)]
    for actor in actors:
        start_with_card(actor.key, Wanted(key="k", plan_version=soft), shop.now)
    over = dict.fromkeys((actor.key for actor in actors), Decimal(0))
    shop.sandbox.control("POST", "/sandbox/chaos", shares={"rate_limited": 0.03, "drop_after": 0.05}, seed=seed)

    for month in range(MONTHS):
        for actor in actors:
            used = Decimal(dice.randrange(50_000, 300_000)) / 1000
            actor.spends(str(used), key=f"m{month}", now=shop.now)
            over[actor.key] += max(Decimal(0), used - 100)
        # The workers come by at any time, or not; the sweep well within the month that Stripe keeps events.
        shop.sandbox.later(days=15)
        with contextlib.suppress(StripeUnavailable):
            shop.sweeps()
        shop.sandbox.later(days=15 if month else 16, seconds=dice.choice([10, 600, 7200]))
        shop.hears_badly(dice)
        for work in (accrue, invoice_all, follow_due):
            if dice.random() < 0.7:
                work(shop.now)
    shop.sandbox.control("DELETE", "/sandbox/faults")
    for _ in range(3):
        shop.sandbox.later(days=2)
        shop.sweeps()

    charged = 0
    for actor in actors:
        items = OverageItem.objects.filter(customer=actor.row)
        assert sum(item.exact for item in items) == over[actor.key] * Decimal("0.0133")
        assert {item.state for item in items} <= {"invoiced", "carried"}
        left = over[actor.key] * Decimal("0.0133") - sum(item.amount.amount for item in items)
        assert 0 <= left < Decimal("0.01")
        mine = sum(int(item.amount.amount * 100) for item in items) + (MONTHS + 1) * 1000
        payer = shop.subscription(actor).stripe_customer
        theirs = shop.sandbox.totals(payer)["usd"]["charged"]
        # Less than Stripe charges at all it keeps as a debt on the customer, for the next invoice.
        assert theirs + shop.stripe.v1.customers.retrieve(payer).balance == mine
        charged += theirs
        allowances = CreditGrant.objects.filter(customer_id=actor.row.pk, source="allowance")
        assert actor.balance(shop.now).posted == 100 * CREDIT
        assert allowances.count() == MONTHS + 1
        assert_ledger_explains(actor.row.pk)
    assert shop.sandbox.totals()["usd"]["charged"] == charged
    paid = StripeInvoice.objects.filter(status="paid")
    assert sum(int(invoice.paid.amount * 100) for invoice in paid) == charged
