"""What staff see of money in: every page opens, says what happened, links on, and changes nothing."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from billing.models import Payment, Reversal, StripeCustomer, StripeEvent
from billing.services.auto_top_ups import AutoTopUpTerms, set_auto_top_up
from billing.stripe.client import client
from tests.billing.cast import Shop
from tests.world import CREDIT

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db: None) -> Client:
    browser = Client()
    browser.force_login(get_user_model().objects.create_superuser("ada", password="a long password"))
    return browser


def page(staff: Client, name: str, *rest: Any) -> str:
    answer = staff.get(reverse(f"admin:billing_{name}", args=rest))
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


@pytest.fixture
def story(shop: Shop) -> Shop:
    """A pack bought, partly refunded, auto top-up set, and a page nobody has paid."""
    acme = shop.buyer()
    acme.buys("big")
    shop.deliver()
    client().v1.refunds.create({"payment_intent": str(acme.order().payment_intent_id), "amount": 2000})
    shop.deliver()
    set_auto_top_up("acme", AutoTopUpTerms(threshold_microcredits=50 * CREDIT, pack="small"), shop.now)
    acme.orders(key="waiting")
    return shop


@pytest.mark.parametrize("name", ["topuporder", "autotopup", "payment", "reversal", "stripeevent", "stripecustomer"])
def test_each_list_and_each_of_its_rows_opens_and_offers_no_change(story: Shop, staff: Client, name: str) -> None:
    assert "acme" in page(staff, f"{name}_changelist") or name == "stripeevent"
    rows = list(apps.get_model("billing", name).objects.all())
    assert rows
    for row in rows:
        address = reverse(f"admin:billing_{name}_change", args=[row.pk])
        assert "_save" not in staff.get(address).content.decode()
        assert staff.post(address, {}).status_code == 403


def test_an_order_tells_its_story_and_links_on(story: Shop, staff: Client) -> None:
    order = Payment.objects.get().order
    shown = page(staff, "topuporder_change", order.pk)
    for fact in ("paid", "1000", "80 USD", str(order.payment_intent_id), "the credits", "the bonus"):
        assert fact in shown, fact
    payment = page(staff, "payment_change", Payment.objects.get().pk)
    assert "20 USD" in payment
    assert "refund re_" in payment
    reversal = page(staff, "reversal_change", Reversal.objects.order_by("amount")[0].pk)
    assert "-20 USD" in reversal
    assert "250" in reversal


def test_what_failed_is_found(story: Shop, staff: Client) -> None:
    event = StripeEvent.objects.first()
    assert event is not None
    StripeEvent.objects.filter(pk=event.pk).update(processed_at=None, next_try_at=story.now, error="Gone: no such")
    assert "Gone: no such" in page(staff, "stripeevent_change", event.pk)
    listed = staff.get(reverse("admin:billing_stripeevent_changelist"), {"processed_at__isempty": "1"})
    assert listed.content.decode().count(event.object_id) >= 1


def test_the_sidebar_leads_here(story: Shop, staff: Client) -> None:
    index = staff.get("/admin/").content.decode()
    for name in ("topuporder", "autotopup", "payment", "reversal", "stripeevent", "stripecustomer"):
        assert reverse(f"admin:billing_{name}_changelist") in index
    assert StripeCustomer.objects.count() == 1
