"""The sweep finds what no event told, says it, and puts it right; looking only, it changes nothing."""

import pytest
from django.db import transaction

from billing.convergence.registry import Finding
from billing.convergence.sweep import sweep
from billing.models import StripeInvoice, StripeSubscription
from billing.subscriptions.starting import Wanted, start_checkout, start_with_card
from tests.billing.stripe_shop import Shop
from tests.world import CREDIT, Actor


def subscribed(shop: Shop) -> Actor:
    shop.opens()
    acme = shop.customer(card="pm_card_visa")
    start_with_card("acme", Wanted(key="k1", plan_version=shop.world.pro), shop.now)
    shop.hears()
    return acme


def found(shop: Shop, *, repair: bool = True) -> list[Finding]:
    with transaction.atomic():
        return [finding for finding in sweep(shop.now, repair=repair) if "webhook" not in finding.what]


def test_in_line_there_is_nothing_to_say(shop: Shop) -> None:
    subscribed(shop)
    assert found(shop) == []


@pytest.mark.parametrize("how", ["renewed", "cancelled", "ended", "moved"])
def test_what_changed_at_stripe_unheard_is_found_and_followed(shop: Shop, how: str) -> None:
    team = shop.world.plan("team", price="99", included=1000)
    acme = subscribed(shop)
    row = shop.subscription(acme)
    if how == "renewed":
        shop.later(days=30, seconds=3601, hears=False)
    elif how == "cancelled":
        shop.stripe.v1.subscriptions.update(row.pk, {"cancel_at_period_end": True})
    elif how == "ended":
        shop.stripe.v1.subscriptions.cancel(row.pk)
    else:
        price = str(team.stripe_price.price_id)
        shop.stripe.v1.subscriptions.update(row.pk, {"items": [{"id": row.item_id, "price": price}]})

    before = StripeSubscription.objects.values().get(pk=row.pk)
    (looked,) = found(shop, repair=False)
    assert (looked.repaired, row.pk in looked.what) == (False, True)
    assert before == StripeSubscription.objects.values().get(pk=row.pk)

    found(shop)
    assert found(shop, repair=False) == []
    now = shop.subscription(acme)
    assert now.fetched_at == shop.now
    assert acme.balance(shop.now).plan_version_id == {"ended": None, "moved": team.pk}.get(how, shop.world.pro.pk)


def test_a_subscription_known_only_to_stripe_is_found(shop: Shop) -> None:
    acme = subscribed(shop)
    StripeSubscription.objects.all().delete()
    (one,) = found(shop)
    assert one.what.endswith("is not known here")
    assert acme.balance(shop.now).posted == 100 * CREDIT


def test_a_paid_page_is_found(shop: Shop) -> None:
    shop.opens()
    acme = shop.customer()
    pages = {"success_url": "https://shop.example/a", "cancel_url": "https://shop.example/b"}
    order, _ = start_checkout("acme", Wanted(key="k1", plan_version=shop.world.pro, **pages), shop.now)
    shop.sandbox.pay(str(order.checkout_session_id))
    shop.later(seconds=700, hears=False)
    found(shop)
    assert acme.balance(shop.now).posted == 100 * CREDIT


def test_an_invoice_nothing_was_heard_of_for_a_day_is_looked_at_again(shop: Shop) -> None:
    acme = subscribed(shop)
    shop.later(days=30)
    draft = StripeInvoice.objects.get(customer=acme.row, status="draft")
    shop.later(days=2, hears=False)
    found(shop)
    draft.refresh_from_db()
    assert draft.status == "paid"
