"""Staff see what Stripe collects for, and can end it, let it go on, or look again."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from billing.models import OverageItem, StripeInvoice, StripePrice, StripeSubscription, SubscriptionOrder
from billing.overage.accruing import accrue
from billing.overage.invoicing import invoice_all
from billing.subscriptions.starting import Wanted, start_with_card
from tests.billing.stripe_shop import Shop


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


@pytest.fixture
def row(shop: Shop) -> StripeSubscription:
    """A subscription in its second period, with overage of the first on the renewal's invoice."""
    shop.opens()
    acme = shop.customer(card="pm_card_visa")
    start_with_card("acme", Wanted(key="k1", plan_version=shop.world.metered), shop.now)
    acme.spends(100, key="a", now=shop.now)
    shop.later(days=30, seconds=60)
    accrue(shop.now)
    invoice_all(shop.now)
    return shop.subscription(acme)


def page(client: Client, address: str, **query: Any) -> str:
    """The page's text, without its mark-up."""
    response = client.get(address, query, follow=True)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_every_page_shows_what_it_is_about(staff: Client, row: StripeSubscription) -> None:
    shown = {
        StripeSubscription: "active",
        StripeInvoice: "paid",
        OverageItem: "Invoiced",
        StripePrice: "weir:metered:v1",
    }
    for model, word in (shown | {SubscriptionOrder: "done"}).items():
        name = model._meta.model_name
        one = model.objects.order_by("pk")[0]  # type: ignore[attr-defined]
        assert word in page(staff, reverse(f"admin:billing_{name}_changelist")), name
        assert page(staff, reverse(f"admin:billing_{name}_change", args=[one.pk])), name
        found = page(staff, reverse(f"admin:billing_{name}_changelist"), q="nobody")
        assert "0 results" in found or "No results" in found or word not in found.split("Reset")[0], name


def test_overage_leads_to_its_ledger_entry(staff: Client, row: StripeSubscription) -> None:
    item = OverageItem.objects.get()
    html = staff.get(reverse("admin:billing_overageitem_change", args=[item.pk])).content.decode()
    link = reverse("admin:entitlements_ledgerline_change", args=[f"{item.customer_id}-{item.seq}"])
    assert f'href="{link}"' in html
    assert staff.get(link).status_code == 200


def test_staff_end_it_with_its_period_let_it_go_on_and_end_it_now(
    staff: Client, shop: Shop, row: StripeSubscription
) -> None:
    def does(name: str) -> StripeSubscription:
        staff.post(reverse(f"admin:billing_stripesubscription_{name}", args=[row.pk]), {"_form_submitted": "True"})
        return StripeSubscription.objects.get(pk=row.pk)

    assert does("end_with_period").cancel_at is not None
    assert "ends 2027-01-15" in page(staff, reverse("admin:billing_stripesubscription_changelist"))
    assert does("keep_going").cancel_at is None
    shop.stripe.v1.subscriptions.update(row.pk, {"cancel_at_period_end": True})
    staff.get(reverse("admin:billing_stripesubscription_look_again", args=[row.pk]))
    assert StripeSubscription.objects.get(pk=row.pk).cancel_at is not None
    assert does("end_now").status == "canceled"


def test_who_may_only_look_is_offered_nothing_to_do(shop: Shop, row: StripeSubscription) -> None:
    viewer = User.objects.create_user("bob", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_stripesubscription"))
    client = Client()
    client.force_login(viewer)
    shown = page(client, reverse("admin:billing_stripesubscription_change", args=[row.pk]))
    assert row.pk in shown
    assert "End now" not in shown
    assert client.post(reverse("admin:billing_stripesubscription_end_now", args=[row.pk])).status_code == 403
    assert StripeSubscription.objects.get(pk=row.pk).status == "active"
