"""Invoices, what will be on the next one, and the way to the card at Stripe."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from moneyed import Money

from billing.models import StripeInvoice
from tests.billing.cast import Shop
from tests.billing.conftest import shop
from tests.portal.conftest import Browser, text_of, visiting

__all__ = ["shop"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(shop: Shop, clock: object) -> Browser:
    shop.buyer("acme")
    return visiting("acme", shop.now)


def invoice(shop: Shop, number: str, *, status: str, customer: str = "acme", total: str = "29", **parts: Any) -> None:
    """An invoice as Stripe would have shown it."""
    from entitlements.models import Customer

    nothing: Any = Money(0, "USD")
    StripeInvoice.objects.create(
        **(
            {
                "id": f"in_{number}", "customer": Customer.objects.get(key=customer), "number": number,
                "status": status, "reason": "subscription_cycle", "total": Money(total, "USD"), "due": nothing,
                "paid": nothing, "tax": nothing, "hosted_url": f"https://invoice.stripe.com/{number}",
                "period_start": shop.now, "period_end": shop.now, "created_at": shop.now, "fetched_at": shop.now,
            }
            | parts
        )
    )  # fmt: skip


def test_there_may_be_none(browser: Browser) -> None:
    page = text_of(browser.reads("/portal/invoices"))
    assert "There are no invoices yet." in page
    assert "No card is saved." in page


def test_invoices_are_shown_with_what_to_do(browser: Browser, shop: Shop) -> None:
    invoice(shop, "A-1", status="paid")
    invoice(shop, "A-2", status="open", total="31.50")
    invoice(shop, "A-3", status="draft")
    page = browser.reads("/portal/invoices")
    said = text_of(page)
    assert "$29 Paid View invoice A-1" in said
    assert "$31.50 To be paid Pay invoice A-2" in said
    assert "A-3" not in said
    assert 'href="https://invoice.stripe.com/A-2"' in page


def test_another_customers_invoices_are_not(browser: Browser, shop: Shop) -> None:
    shop.buyer("globex")
    invoice(shop, "G-1", status="paid", customer="globex")
    assert "G-1" not in browser.reads("/portal/invoices")


def test_the_card_is_changed_on_stripes_page_which_leads_back(browser: Browser, shop: Shop) -> None:
    response = browser.sends("/portal/payment-method", {})
    assert response.status_code == 303
    assert response["Location"].startswith(f"{shop.stripe.url}/portal/")
    (session,) = shop.stripe.objects("billing_portal.session")
    assert urlsplit(session["return_url"]).path == "/portal/invoices"
    assert browser.get("/portal/payment-method").status_code == 405
    assert browser.post("/portal/payment-method").status_code == 403


def test_a_bought_pack_is_listed_with_its_invoice(browser: Browser, shop: Shop, now: datetime) -> None:
    from billing.services.top_ups import TopUpRequest, request_top_up

    request = TopUpRequest(key="k", pack="big", success_url="https://shop.example/", cancel_url="https://shop.example/")
    order, _ = request_top_up("acme", request, shop.now)
    shop.stripe.pay(str(order.checkout_session_id))
    shop.deliver()
    page = browser.reads("/portal/invoices")
    assert text_of(page).count("1,050 credits") == 1
    assert "A card is saved" in text_of(page)


def test_stripe_being_away_is_told(browser: Browser, shop: Shop) -> None:
    shop.stripe.fails("drop_before", "/v1/customers", times=3)
    response = browser.sends("/portal/payment-method", {})
    assert (response.status_code, "Stripe cannot be reached right now" in response.content.decode()) == (503, True)
