"""Buying credits: an order, Stripe's page, and the way back to a risen balance."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse

from billing.models import TopUpOrder
from tests.billing.cast import Shop
from tests.billing.conftest import shop
from tests.portal.conftest import Browser, text_of, visiting

__all__ = ["shop"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer(shop: Shop, clock: object) -> Browser:
    """Acme, who owns nothing yet, at the counter."""
    shop.buyer("acme")
    return visiting("acme", shop.now)


def key_on(page: str) -> str:
    found = re.search(r'name="key" value="([0-9a-f-]{36})"', page)
    assert found is not None
    return found[1]


def orders(browser: Browser, **fields: Any) -> HttpResponse:
    """Fill in the page's form and send it."""
    return browser.sends("/portal/buy", {"key": key_on(browser.reads("/portal/buy"))} | fields)


def test_a_pack_is_bought_and_the_balance_rises(buyer: Browser, shop: Shop) -> None:
    page = text_of(buyer.reads("/portal/buy"))
    assert "Small $10 100 credits" in page
    assert "1,000 credits + 50 bonus" in page
    key = key_on(buyer.reads("/portal/buy"))
    response = buyer.sends("/portal/buy", {"key": key, "pack": "big"})
    order = TopUpOrder.objects.get()
    assert (response.status_code, response["Location"]) == (303, order.url)
    assert urlsplit(order.success_url).path == f"/portal/orders/{key}"

    waiting = buyer.reads(f"/portal/orders/{key}")
    assert 'hx-trigger="every 2s"' in waiting
    assert "Available now 0" in text_of(waiting)
    again = {"hx-request": "true"}
    assert buyer.get(f"/portal/orders/{key}", headers=again).status_code == 204

    shop.stripe.pay(str(order.checkout_session_id))
    shop.deliver()
    assert buyer.get(f"/portal/orders/{key}", headers=again).status_code == 200
    paid = buyer.reads(f"/portal/orders/{key}")
    assert "hx-trigger" not in paid
    assert "Paid. 1,050 credits were added." in text_of(paid)
    assert "Available now 1,050" in text_of(paid)
    assert "Available 1,050" in text_of(buyer.reads("/portal/"))
    assert "Top-up $80 paid" in text_of(buyer.reads("/portal/ledger"))


def test_sending_the_form_twice_orders_once(buyer: Browser) -> None:
    key = key_on(buyer.reads("/portal/buy"))
    first = buyer.sends("/portal/buy", {"key": key, "pack": "small"})
    again = buyer.sends("/portal/buy", {"key": key, "pack": "small"})
    assert first["Location"] == again["Location"]
    assert TopUpOrder.objects.count() == 1


def test_the_same_form_with_another_pack_is_told_so(buyer: Browser) -> None:
    key = key_on(buyer.reads("/portal/buy"))
    buyer.sends("/portal/buy", {"key": key, "pack": "small"})
    response = buyer.sends("/portal/buy", {"key": key, "pack": "big"})
    assert response.status_code == 409
    assert TopUpOrder.objects.get().pack.key == "small"


def test_an_amount_of_ones_own_is_priced_before_it_is_bought(buyer: Browser) -> None:
    assert "$25, before tax" in buyer.reads("/portal/buy", credits="250")
    assert "$160, before tax" in buyer.reads("/portal/buy", credits="2,000")
    response = orders(buyer, credits="250")
    assert response.status_code == 303
    assert (TopUpOrder.objects.get().microcredits, str(TopUpOrder.objects.get().amount.amount)) == (
        250_000_000,
        "25.000",
    )


@pytest.mark.parametrize("typed", ["0", "-5", "many", "1e9", "0.0000001", "9" * 29, "", "٣", "12,5", "1,00"])
def test_an_amount_that_means_nothing_is_told_at_the_field(buyer: Browser, typed: str) -> None:
    response = orders(buyer, credits=typed)
    assert response.status_code == 422
    assert 'class="error"' in response.content.decode() or "notice-loss" in response.content.decode()
    assert not TopUpOrder.objects.exists()
    buyer.reads("/portal/buy", credits=typed)


@pytest.mark.parametrize("fields", [{"key": "x", "pack": "small"}, {"key": "", "pack": "small"}, {"pack": "none-such"}])
def test_a_form_that_was_tampered_with_orders_nothing(buyer: Browser, fields: dict[str, str]) -> None:
    response = orders(buyer, **fields)
    assert response.status_code in {404, 422}
    assert not TopUpOrder.objects.exists()


def test_buying_takes_the_forms_token(buyer: Browser) -> None:
    key = key_on(buyer.reads("/portal/buy"))
    assert buyer.post("/portal/buy", {"key": key, "pack": "small"}).status_code == 403
    assert not TopUpOrder.objects.exists()


def test_looking_orders_nothing(buyer: Browser) -> None:
    buyer.reads("/portal/buy", pack="small", key="0199a0f0-0000-7000-8000-000000000000")
    assert not TopUpOrder.objects.exists()


def test_a_pack_in_another_currency_is_neither_shown_nor_sold(buyer: Browser, shop: Shop) -> None:
    shop.pack("euros", "9.00", credits=100, currency="EUR")
    assert "Euros" not in buyer.reads("/portal/buy")
    assert orders(buyer, pack="euros").status_code == 422
    assert not TopUpOrder.objects.exists()


def test_another_customers_order_is_not_there(buyer: Browser, shop: Shop) -> None:
    key = key_on(buyer.reads("/portal/buy"))
    buyer.sends("/portal/buy", {"key": key, "pack": "small"})
    shop.buyer("globex")
    other = visiting("globex", shop.now)
    response = other.get(f"/portal/orders/{key}")
    assert (response.status_code, "There is nothing here" in response.content.decode()) == (404, True)
    assert buyer.get("/portal/orders/0199a0f0-0000-7000-8000-000000000000").status_code == 404


def test_the_way_back_without_paying_says_so(buyer: Browser) -> None:
    assert "Nothing was bought." in buyer.reads("/portal/buy", left="1")


def test_stripe_being_away_is_told_and_the_order_can_go_on(buyer: Browser, shop: Shop) -> None:
    shop.stripe.fails("drop_before", "/v1/checkout/sessions", times=3)
    key = key_on(buyer.reads("/portal/buy"))
    response = buyer.sends("/portal/buy", {"key": key, "pack": "small"})
    assert (response.status_code, "Stripe cannot be reached right now" in response.content.decode()) == (503, True)
    assert buyer.sends("/portal/buy", {"key": key, "pack": "small"}).status_code == 303
    assert TopUpOrder.objects.count() == 1


def test_without_stripe_the_page_is_there_and_sells_nothing(buyer: Browser, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    page = buyer.reads("/portal/buy")
    assert "Credits cannot be bought here at the moment" in page
    assert "<button" not in page.partition("<main")[2]
    response = buyer.sends("/portal/buy", {"key": "0199a0f0-0000-7000-8000-000000000000", "pack": "small"})
    assert response.status_code == 503
