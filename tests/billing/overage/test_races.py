"""Overage is paid by a grant or becomes money owed, never both; and whoever invoices it does so once."""

from datetime import datetime

import pytest

from billing.models import OverageItem
from billing.overage.accruing import accrue, price_entries
from billing.overage.invoicing import invoice_all
from billing.subscriptions.convergence import subscription_changed
from billing.subscriptions.mirror import converge_subscription
from billing.subscriptions.starting import Wanted, start_with_card
from entitlements.models import CreditGrant, EntryKind
from entitlements.services.grants import GrantRequest, add_grant
from entitlements.services.standing import bill_accrued_overage
from tests.billing.stripe_shop import Shop
from tests.world import CREDIT, Actor, World, assert_ledger_explains, in_parallel

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_grant_and_a_bill_at_once_take_each_credit_of_overage_once(now: datetime) -> None:
    acme = Actor("acme", now, World().metered)
    acme.spends(100, key="a")

    def either(number: int) -> object:
        if number % 2:
            return bill_accrued_overage("acme", at_least=1, now=now)
        request = GrantRequest(key=f"g{number}", microcredits=30 * CREDIT, source="top_up")
        return add_grant("acme", request, now)

    outcomes = in_parallel(8, either)

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    moved = dict.fromkeys(EntryKind, 0)
    for entry in acme.ledger():
        moved[EntryKind(entry.kind)] += entry.amount_microcredits
    assert moved[EntryKind.OVERAGE_PAID] + moved[EntryKind.OVERAGE_BILLED] == 100 * CREDIT
    assert acme.balance().posted == 4 * 30 * CREDIT - moved[EntryKind.OVERAGE_PAID]
    assert_ledger_explains(acme.row.pk)


def test_several_workers_price_an_entry_once_and_invoice_it_once(shop: Shop) -> None:
    shop.opens()
    acme = shop.customer(card="pm_card_visa")
    start_with_card("acme", Wanted(key="k1", plan_version=shop.world.metered), shop.now)
    acme.spends(100, key="a", now=shop.now)
    shop.later(days=30, seconds=7200)
    now = shop.now

    def works(number: int) -> int:
        accrue(now)
        return invoice_all(now)

    outcomes = in_parallel(4, works)

    assert sorted(outcomes, key=str) == [0, 0, 0, 1]
    assert price_entries(acme.row.pk, now) == 0
    item = OverageItem.objects.get()
    shop.later(seconds=1)
    assert shop.stripe.v1.invoices.retrieve(item.invoice_id).amount_paid == 200
    assert shop.sandbox.totals()["usd"]["charged"] == 200


def test_a_subscription_told_three_times_at_once_is_granted_once(shop: Shop) -> None:
    shop.opens()
    acme = shop.customer(card="pm_card_visa")
    price = str(shop.world.pro.stripe_price.price_id)
    payer = acme.row.stripe.stripe_id
    made = shop.stripe.v1.subscriptions.create({"customer": payer, "items": [{"price": price}]})
    now = shop.now

    outcomes = in_parallel(3, lambda _: subscription_changed(made.id, now))

    assert outcomes == [None, None, None]
    assert CreditGrant.objects.filter(customer_id=acme.row.pk, source="allowance").count() == 1
    row = converge_subscription(made.id, now)
    assert row is not None
    assert (acme.balance(now).posted, row.surplus) == (100 * CREDIT, False)
