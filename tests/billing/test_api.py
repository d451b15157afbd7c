"""Top-ups and auto top-up over the API: what callers see, and every mistake by name."""

from typing import Any

import pytest

from tests.billing.cast import URLS, Shop
from tests.entitlements.api.conftest import Api, refused
from tests.world import CREDIT

pytestmark = pytest.mark.django_db

ORDER = {"key": "order-1", "pack": "small", **URLS}
AUTO = {"threshold": "50", "pack": "small", "monthly_cap": {"amount": "40.00", "currency": "USD"}}


@pytest.fixture
def api(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setattr("entitlements.api.base.utc_now", lambda: shop.now)
    shop.buyer()
    return Api("read", "admin")


def test_an_order_from_the_page_to_the_credits(shop: Shop, api: Api) -> None:
    ordered = api.post("/customers/acme/top-ups", ORDER)
    assert ordered.status_code == 201
    body = dict(ordered.json())
    (session,) = shop.stripe.objects("checkout.session")
    assert body.pop("id") == session["client_reference_id"]
    assert body == {
        "key": "order-1",
        "origin": "checkout",
        "state": "open",
        "pack": "small",
        "packs": 1,
        "credits": "100",
        "bonus": "0",
        "amount": {"amount": "10.00", "currency": "USD"},
        "paid": None,
        "tax": None,
        "url": session["url"],
        "invoice_url": None,
        "receipt_url": None,
        "failure": None,
        "grant": None,
        "created_at": "2026-11-15T12:00:00Z",
        "paid_at": None,
        "closed_at": None,
    }
    again = api.post("/customers/acme/top-ups", ORDER)
    assert (again.status_code, again.json()) == (200, ordered.json())

    shop.stripe.pay(session["id"])
    shop.deliver()
    paid = api.get(f"/customers/acme/top-ups/{ordered.json()['id']}").json()
    assert (paid["state"], paid["paid"], paid["url"]) == ("paid", {"amount": "10.00", "currency": "USD"}, None)
    assert paid["receipt_url"].startswith("http")
    assert [each["id"] for each in api.get("/customers/acme/top-ups").json()["data"]] == [paid["id"]]
    assert api.get("/customers/acme/balance").json()["available"] == "100"


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (ORDER | {"pack": "big"}, 409, "key_reused", "key"),
        (ORDER | {"key": "x", "pack": "unheard-of"}, 404, "pack_unknown", "pack"),
        (ORDER | {"key": "x", "credits": "5"}, 422, "invalid_input", "pack"),
        ({"key": "x", "credits": "-5", **URLS}, 422, "invalid_input", "credits"),
        ({"key": "x", "credits": "0.000001", **URLS}, 409, "top_up_refused", None),
        ({"key": "x", "credits": "99999999999", **URLS}, 422, "invalid_input", "credits"),
        ({"key": "x", "credits": "900000000", **URLS}, 422, "invalid_input", "credits"),
        (ORDER | {"key": "x", "success_url": "javascript:alert(1)"}, 422, "invalid_input", "success_url"),
        (ORDER | {"key": "x", "success_url": "https://["}, 422, "invalid_input", "success_url"),
        (ORDER | {"key": "x", "cancel_url": 5}, 422, "invalid_input", "cancel_url"),
        (ORDER | {"key": ""}, 422, "invalid_input", "key"),
        (ORDER | {"key": "x", "packs": 3}, 422, "invalid_input", "packs"),
    ],
    ids=range(12),
)
def test_what_is_wrong_is_said(shop: Shop, api: Api, body: Any, status: int, code: str, field: str | None) -> None:
    api.post("/customers/acme/top-ups", ORDER)
    refused(api.post("/customers/acme/top-ups", body), status, code, field)


def test_a_refusal_of_stripes_is_the_same_when_asked_again(api: Api) -> None:
    body = {"key": "x", "credits": "1", **URLS}
    refused(api.post("/customers/acme/top-ups", body), 409, "top_up_refused", None)
    refused(api.post("/customers/acme/top-ups", body), 409, "top_up_refused", None)
    (order,) = api.get("/customers/acme/top-ups").json()["data"]
    assert order["state"] == "failed"
    assert order["failure"]["code"] == "amount_too_small"


def test_of_whom_and_what_there_is_not(api: Api) -> None:
    refused(api.post("/customers/nobody/top-ups", ORDER), 404, "customer_unknown", None)
    unknown = "/customers/acme/top-ups/01a20ad0-4c1b-74cb-836f-2d4565817b78"
    refused(api.get(unknown), 404, "top_up_unknown", None)
    refused(api.get("/customers/acme/auto-top-up"), 404, "auto_top_up_not_set", None)
    refused(api.delete("/customers/acme/auto-top-up"), 404, "auto_top_up_not_set", None)


def test_stripe_away_is_503_and_the_same_key_goes_on(shop: Shop, api: Api) -> None:
    shop.stripe.fails("drop_before", times=3)
    refused(api.post("/customers/acme/top-ups", ORDER), 503, "payments_unavailable", None)
    assert api.post("/customers/acme/top-ups", ORDER).status_code == 200


@pytest.mark.parametrize(
    ("key", "live", "code"),
    [("", False, "payments_not_configured"), ("sk_live_anything", False, "live_key_refused")],
    ids=["none", "live"],
)
def test_without_a_key_nothing_is_sold(api: Api, settings: Any, key: str, live: bool, code: str) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_LIVE = key, live
    refused(api.post("/customers/acme/top-ups", ORDER), 503, code, None)


def test_auto_top_up_is_set_shown_and_ended(shop: Shop, api: Api) -> None:
    shown = api.put("/customers/acme/auto-top-up", AUTO)
    assert shown.status_code == 200
    assert shown.json() == {
        "enabled": True,
        "threshold": "50",
        "pack": "small",
        "credits": None,
        "monthly_cap": {"amount": "40.00", "currency": "USD"},
        "paused": None,
        "failures": 0,
        "next_try_at": None,
        "changed_at": "2026-11-15T12:00:00Z",
    }
    assert api.get("/customers/acme/auto-top-up").json() == shown.json()
    changed = api.put("/customers/acme/auto-top-up", {"threshold": "20", "credits": "75"}).json()
    assert (changed["pack"], changed["credits"], changed["monthly_cap"]) == (None, "75", None)
    assert api.delete("/customers/acme/auto-top-up").status_code == 204
    assert api.get("/customers/acme/auto-top-up").status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (AUTO | {"threshold": "-1"}, 422, "invalid_input", "threshold"),
        (AUTO | {"credits": "5"}, 422, "invalid_input", "pack"),
        ({"threshold": "5"}, 422, "invalid_input", "pack"),
        (AUTO | {"pack": "unheard-of"}, 404, "pack_unknown", "pack"),
        (AUTO | {"monthly_cap": {"amount": "40", "currency": "EUR"}}, 422, "invalid_input", "monthly_cap.currency"),
        (AUTO | {"monthly_cap": {"amount": "9.99", "currency": "USD"}}, 422, "invalid_input", "monthly_cap"),
        (AUTO | {"enabled": "perhaps"}, 422, "invalid_input", "enabled"),
    ],
    ids=range(7),
)
def test_terms_that_make_no_sense(api: Api, body: Any, status: int, code: str, field: str) -> None:
    refused(api.put("/customers/acme/auto-top-up", body), status, code, field)


def test_scopes(shop: Shop, api: Api) -> None:
    reader = Api("read")
    refused(reader.post("/customers/acme/top-ups", ORDER), 403, "scope_missing", None)
    refused(reader.put("/customers/acme/auto-top-up", AUTO), 403, "scope_missing", None)
    assert reader.get("/customers/acme/top-ups").status_code == 200


def test_both_callers_who_order_at_once_get_the_one_order(shop: Shop, api: Api) -> None:
    first = api.post("/customers/acme/top-ups", ORDER | {"pack": "big"})
    assert first.json()["bonus"] == "50"
    assert shop.big.microcredits == 1000 * CREDIT
    assert api.post("/customers/acme/top-ups", ORDER | {"pack": "big"}).json() == first.json()
