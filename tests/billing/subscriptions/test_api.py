"""Subscriptions, invoices and overage over the API: what callers see, and every mistake by name."""

from typing import Any

import pytest

from billing.overage.accruing import accrue
from billing.overage.invoicing import invoice_all
from tests.billing.stripe_shop import Shop
from tests.entitlements.api.conftest import Api, refused

PAGES = {"success_url": "https://shop.example/thanks", "cancel_url": "https://shop.example/plans"}
BUYS = {"key": "s1", "plan": "pro"}
AT = "/customers/acme/subscription"


@pytest.fixture
def api(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setattr("entitlements.api.base.utc_now", lambda: shop.now)
    return Api("read", "admin")


def test_a_subscription_from_the_page_to_its_end(shop: Shop, api: Api) -> None:
    shop.world.plan("team", price="99", included=1000)
    shop.opens()
    shop.customer()
    ordered = api.post(f"{AT}/checkout", BUYS | PAGES | {"trial_days": 14})
    (session,) = shop.sandbox.objects("checkout.session")
    body: dict[str, Any] = dict(ordered.json())
    assert (ordered.status_code, len(body.pop("id"))) == (201, 36)
    assert body == {
        "key": "s1", "origin": "checkout", "state": "open", "plan": "pro", "version": 1, "trial_days": 14,
        "url": session["url"], "created_at": "2026-11-15T12:00:00Z", "closed_at": None,
    }  # fmt: skip
    again = api.post(f"{AT}/checkout", BUYS | PAGES | {"trial_days": 14})
    assert (again.status_code, again.json()) == (200, ordered.json())

    shop.sandbox.pay(session["id"])
    shop.hears()
    trial = dict(api.get(f"{AT}/stripe").json())
    assert trial.pop("id").startswith("sub_")
    assert trial == {
        "status": "trialing", "charged": {"plan": "pro", "version": 1}, "next": None, "next_at": None,
        "change_awaits_payment": False, "period_start": "2026-11-15T12:00:00Z", "period_end": "2026-11-29T12:00:00Z",
        "trial_end": "2026-11-29T12:00:00Z", "cancel_at": None, "overdue_since": None, "ended_at": None,
    }  # fmt: skip
    shop.later(days=14, seconds=3601)
    up = api.post(f"{AT}/change", {"plan": "team"}).json()
    assert (up["status"], up["charged"]) == ("active", {"plan": "team", "version": 1})
    down = api.post(f"{AT}/change", {"plan": "pro"}).json()
    assert (down["next"], down["next_at"]) == ({"plan": "pro", "version": 1}, down["period_end"])
    assert api.post(f"{AT}/cancel", {}).json()["cancel_at"] == down["period_end"]
    assert api.post(f"{AT}/resume", {}).json()["cancel_at"] is None
    assert api.post(f"{AT}/cancel", {"when": "now"}).json()["status"] == "canceled"
    shop.hears()

    invoices = api.get("/customers/acme/invoices").json()["data"]
    assert [(one["reason"], one["status"], one["total"]["amount"]) for one in invoices] == [
        ("subscription_update", "paid", invoices[0]["total"]["amount"]),
        ("subscription_cycle", "paid", "29.00"),
        ("subscription_create", "paid", "0.00"),
    ]
    assert all(one["url"].startswith("http") and one["pdf"] for one in invoices)


def test_with_the_saved_card_at_once(shop: Shop, api: Api) -> None:
    shop.opens()
    shop.customer(card="pm_card_visa")
    begun = api.post(f"{AT}/start", BUYS)
    assert (begun.status_code, begun.json()["state"], begun.json()["url"]) == (201, "done", None)
    assert api.post(f"{AT}/start", BUYS).status_code == 200
    refused(api.post(f"{AT}/start", BUYS | {"key": "s2"}), 409, "already_subscribed")
    assert api.get(AT).json()["plan"] == "pro"


def test_overage_is_listed_with_its_invoice(shop: Shop, api: Api) -> None:
    shop.opens()
    acme = shop.customer(card="pm_card_visa")
    api.post(f"{AT}/start", BUYS | {"plan": "metered"})
    acme.spends(100, key="a", now=shop.now)
    shop.later(days=30)
    accrue(shop.now)
    invoice_all(shop.now)
    (item,) = api.get("/customers/acme/overage").json()["data"]
    assert (item["credits"], item["credit_price"], item["amount"], item["state"]) == (
        "100", {"amount": "0.02", "currency": "USD"}, {"amount": "2.00", "currency": "USD"}, "invoiced",
    )  # fmt: skip
    assert item["invoice"] in [one["id"] for one in api.get("/customers/acme/invoices").json()["data"]]


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "field"),
    [
        ("checkout", BUYS | PAGES | {"plan": "nothing"}, 422, "invalid_input", "plan"),
        ("checkout", BUYS, 422, "invalid_input", "success_url"),
        ("checkout", BUYS | PAGES | {"trial_days": -1}, 422, "invalid_input", "trial_days"),
        ("checkout", BUYS | PAGES | {"success_url": "javascript:x"}, 422, "invalid_input", "success_url"),
        ("start", BUYS, 409, "no_card_on_file", None),
        ("start", BUYS | {"coupon": "x"}, 422, "invalid_input", "coupon"),
        ("change", {"plan": "pro"}, 404, "not_subscribed_at_stripe", None),
        ("change", {"plan": "pro", "when": "soon"}, 422, "invalid_input", "when"),
        ("cancel", {}, 404, "not_subscribed_at_stripe", None),
        ("resume", {}, 404, "not_subscribed_at_stripe", None),
    ],
    ids=map(str, range(10)),
)
def test_mistakes_are_named(
    shop: Shop, api: Api, path: str, body: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    shop.opens()
    shop.customer()
    refused(api.post(f"{AT}/{path}", body), status, code, field)


def test_a_customer_nobody_knows(shop: Shop, api: Api) -> None:
    for path in ("subscription/stripe", "invoices", "overage"):
        refused(api.get(f"/customers/nobody/{path}"), 404, "customer_unknown")
    refused(api.post("/customers/nobody/subscription/start", BUYS), 404, "customer_unknown")
    refused(api.get(f"{AT}/stripe"), 404, "customer_unknown")


def test_a_plan_without_a_price_at_stripe_and_a_stripe_that_is_silent(shop: Shop, api: Api) -> None:
    shop.customer(card="pm_card_visa")
    refused(api.post(f"{AT}/start", BUYS), 409, "plan_not_at_stripe", "plan")
    shop.opens()
    shop.sandbox.fails("drop_before", "/v1/subscriptions", times=3)
    refused(api.post(f"{AT}/start", BUYS), 503, "payments_unavailable")


def test_a_declined_card_says_which_and_changes_nothing(shop: Shop, api: Api) -> None:
    shop.opens()
    shop.customer(card="pm_card_chargeCustomerFail")
    body = refused(api.post(f"{AT}/start", BUYS), 402, "subscription_not_paid")
    assert body["decline_code"] == "generic_decline"
    refused(api.get(f"{AT}/stripe"), 404, "not_subscribed_at_stripe")
