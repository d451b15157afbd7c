"""Products and prices from the published catalogue: shown first, made once, never changed."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from billing.models import StripePrice
from billing.prices.applying import apply_all, offer_in_sandbox
from billing.prices.changes import PriceDiffers, changes
from billing.stripe.errors import StripeUnavailable
from plans.models import Plan, PlanVersion
from plans.services.publishing import new_plan_draft, publish_plan_version
from tests.billing.stripe_shop import Shop


def command(*words: str) -> str:
    out = StringIO()
    call_command("stripe_prices", *words, stdout=out)
    return out.getvalue()


def test_what_would_be_made_is_shown_first_and_then_made_once(shop: Shop) -> None:
    shown = command("diff")
    assert shown.splitlines() == [
        "+ product weir-metered: Metered",
        "+ product weir-pro: Pro",
        "+ price   weir:metered:v1: 0 USD every month",
        "+ price   weir:pro:v1: 29 USD every month",
    ]
    assert shop.sandbox.objects("price") == []
    with pytest.raises(SystemExit):
        command("diff", "--exit-code")

    assert command("apply").splitlines() == [*shown.splitlines(), "4 done."]
    assert (command("diff", "--exit-code"), command("apply")) == ("Stripe has it all.\n", "Stripe has it all.\n")
    pro = StripePrice.objects.get(lookup_key="weir:pro:v1")
    made = shop.stripe.v1.prices.retrieve(str(pro.price_id))
    assert (made.unit_amount, made.currency, made.product, made.lookup_key) == (2900, "usd", "weir-pro", "weir:pro:v1")
    assert len(shop.sandbox.objects("price")) == 2


def test_in_a_sandbox_what_is_published_is_sold_without_being_told(shop: Shop, settings: Any) -> None:
    assert len(offer_in_sandbox(shop.now)) == 4
    assert offer_in_sandbox(shop.now) == []
    assert len(shop.sandbox.objects("price")) == 2

    draft = new_plan_draft(shop.world.pro.plan_id)
    publish_plan_version(draft.pk, now=shop.now)
    assert len(offer_in_sandbox(shop.now)) == 1

    settings.STRIPE_API_BASE = ""  # Stripe itself: what is sold there is for people to say.
    publish_plan_version(new_plan_draft(shop.world.pro.plan_id).pk, now=shop.now)
    assert offer_in_sandbox(shop.now) == []


def test_a_new_version_is_a_new_price_of_the_same_product_and_the_old_one_stays(shop: Shop) -> None:
    apply_all(shop.now)
    draft = new_plan_draft(shop.world.pro.plan_id)
    draft.price.amount += 10
    draft.save()
    publish_plan_version(draft.pk, now=shop.now)
    Plan.objects.filter(key="pro").update(name="Professional")

    assert command("diff").splitlines() == [
        "~ product weir-pro: Pro → Professional",
        "+ price   weir:pro:v2: 39 USD every month",
    ]
    apply_all(shop.now)

    assert [
        (one["lookup_key"], one["active"]) for one in shop.sandbox.objects("price") if one["product"] == "weir-pro"
    ] == [
        ("weir:pro:v2", True),
        ("weir:pro:v1", True),
    ]


@pytest.mark.parametrize("path", ["/v1/products", "/v1/prices"])
def test_broken_off_it_is_done_again_and_nothing_is_made_twice(shop: Shop, path: str) -> None:
    shop.loses_answers("drop_after", path)
    with pytest.raises(StripeUnavailable):
        apply_all(shop.now)
    shop.later(days=2)  # the idempotency key is forgotten
    apply_all(shop.now)
    assert changes() == []
    assert (len(shop.sandbox.objects("product")), len(shop.sandbox.objects("price"))) == (2, 2)


def test_a_price_that_is_there_under_our_name_is_taken_if_it_is_the_same(shop: Shop) -> None:
    apply_all(shop.now)
    StripePrice.objects.all().delete()
    assert {change.kind for change in apply_all(shop.now)} == {"adopt_price"}
    assert StripePrice.objects.exclude(price_id=None).count() == 2


def test_another_price_under_our_name_is_refused(shop: Shop) -> None:
    asked: Any = {"currency": "usd", "unit_amount": 1, "recurring": {"interval": "month"}, "lookup_key": "weir:pro:v1"}
    shop.stripe.v1.prices.create(asked | {"product_data": {"name": "Other"}})
    with pytest.raises(PriceDiffers):
        changes()
    with pytest.raises(CommandError, match="29 USD"):
        command("apply")


def test_a_price_archived_at_stripe_is_sold_again(shop: Shop) -> None:
    apply_all(shop.now)
    price = str(shop.world.pro.stripe_price.price_id)
    shop.stripe.v1.prices.update(price, {"active": False})
    assert command("diff").splitlines() == ["~ price   weir:pro:v1: is sold again"]
    apply_all(shop.now)
    assert shop.stripe.v1.prices.retrieve(price).active


def test_drafts_and_what_was_never_sold_at_stripe_are_left_alone(shop: Shop) -> None:
    new_plan_draft(shop.world.pro.plan_id)
    PlanVersion.objects.filter(pk=shop.world.metered.pk).update(status="retired", retired_at=shop.now)
    assert [change.what for change in changes()] == [
        "+ product weir-pro: Pro",
        "+ price   weir:pro:v1: 29 USD every month",
    ]
