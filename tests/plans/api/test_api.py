"""What is on sale, and what an action would cost, over HTTP."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from access.services.api_keys import create_key
from plans.models import Plan, PlanVersion, RateCard, TopUpPack
from plans.services.publishing import (
    new_plan_draft,
    new_rate_card_draft,
    publish_rate_card_version,
    retire_plan_version,
)
from tests.plans.conftest import NOON

pytestmark = pytest.mark.urls("tests.plans.api.urls")


@pytest.fixture
def client(db: None) -> Client:
    _, token = create_key("backend", ["read"], NOON)
    return Client(headers={"authorization": f"Bearer {token}"})


def test_the_catalogue_is_everything_on_sale(client: Client, on_sale: PlanVersion) -> None:
    body = client.get("/v1/catalogue").json()
    assert [feature["key"] for feature in body["features"]] == ["chat", "seats", "sso"]
    assert [(tier["key"], tier["rank"]) for tier in body["tiers"]] == [("economy", 10), ("premium", 20)]
    assert body["models"][1] == {
        "key": "gpt-5", "name": "GPT-5", "provider": "openai", "tier": "premium", "aliases": ["big"],
    }  # fmt: skip
    assert [plan["key"] for plan in body["plans"]] == ["pro"]
    assert body["top_up_packs"] == [
        {
            "key": "small", "name": "Small", "credits": "1000", "bonus": "50", "expires_after_days": 365,
            "price": {"amount": "10.00", "currency": "USD"},
        }
    ]  # fmt: skip


def test_a_plan_says_what_a_subscriber_gets(client: Client, on_sale: PlanVersion) -> None:
    plan = client.get("/v1/plans/pro").json()
    assert plan == {
        "key": "pro",
        "name": "Pro",
        "description": "",
        "version": {
            "number": 1,
            "price": {"amount": "29.00", "currency": "USD"},
            "interval": "month",
            "rate_card": "standard",
            "allowance": {"credits": "1000", "renews": "month", "rollover_max": "250.5"},
            "overage": {
                "credit_price": {"amount": "0.012", "currency": "USD"}, "spend_cap": "500", "invoice_at": "250",
            },
            "grace": {"policy": "soft_limit", "days": 3},
            "unpriced": "allow",
            "entitlements": [
                {"feature": "chat", "max_tier": "premium", "at_limit": "downgrade", "config": None},
                {"feature": "seats", "max_tier": None, "at_limit": "deny", "config": {"included": 5}},
                {"feature": "sso", "max_tier": None, "at_limit": "deny", "config": None},
            ],
            "fallbacks": ["gpt-5-mini"],
            "limits": [
                {
                    "key": "daily", "scope": "customer", "feature": None, "tier": None, "unit": "calls",
                    "window": "day", "kind": "hard", "value": "100", "warn_at_percent": [80, 95],
                },
                {
                    "key": "run-cost", "scope": "run", "feature": "chat", "tier": None, "unit": "cost",
                    "window": "run", "kind": "hard", "value": "2.5", "warn_at_percent": [],
                },
            ],
        },
    }  # fmt: skip
    assert client.get("/v1/plans").json() == {"data": [plan], "next": None}


def test_drafts_and_retired_plans_are_not_on_sale(client: Client, on_sale: PlanVersion) -> None:
    draft = new_plan_draft(on_sale.plan_id)
    PlanVersion.objects.filter(pk=draft.pk).update(price=99)
    assert client.get("/v1/plans/pro").json()["version"]["number"] == 1
    retire_plan_version(on_sale.pk, now=NOON)
    assert client.get("/v1/plans").json()["data"] == []
    answer = client.get("/v1/plans/pro")
    assert (answer.status_code, answer.json()["code"]) == (404, "plan_unknown")


def test_packs_come_in_the_order_of_the_buy_page(client: Client, on_sale: PlanVersion) -> None:
    for key, position, active in (("large", 2, True), ("gone", 1, False), ("tiny", 0, True)):
        TopUpPack.objects.create(key=key, name=key, microcredits=1, price=1, position=position, active=active)
    first = client.get("/v1/top-up-packs", {"limit": 2}).json()
    assert [pack["key"] for pack in first["data"]] == ["small", "tiny"]
    assert [pack["key"] for pack in client.get(first["next"]).json()["data"]] == ["large"]


def test_the_catalogue_costs_a_fixed_number_of_queries(
    client: Client, on_sale: PlanVersion, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        plan = Plan.objects.create(key=f"plan-{number}", name="Plan")
        PlanVersion.objects.create(
            plan=plan, number=1, rate_card=RateCard.objects.get(), status="published", published_at=NOON
        )
    with django_assert_max_num_queries(14):
        assert len(client.get("/v1/catalogue").json()["plans"]) == 6


ACTION = {"feature": "chat", "model": "openai/gpt-5-2025-08-07", "usage": {"input_tokens": 1234, "web_searches": 1}}


def previewed(client: Client, body: Any) -> Any:
    return client.post("/v1/catalogue/preview", body, content_type="application/json")


@pytest.mark.parametrize("prices", [{"rate_card": "standard"}, {"plan": "pro"}])
def test_a_preview_explains_the_charge(client: Client, on_sale: PlanVersion, prices: dict[str, str]) -> None:
    answer = previewed(client, ACTION | prices | {"at": "2026-11-15T12:00:00Z"})
    assert answer.status_code == 200
    # 0.5 for the action + 1234 × 1000/M + 2 for the search, up to a thousandth.
    assert answer.json() == {
        "credits": "3.734",
        "feature": "chat",
        "model": "gpt-5",
        "tier": "premium",
        "rate_card": "standard",
        "rate_card_version": 1,
        "rate": "chat · premium",
        "action": "0.5",
        "lines": [
            {"kind": "input_tokens", "quantity": 1234, "credits_per_million": "1000", "credits": "1.234"},
            {"kind": "web_searches", "quantity": 1, "credits_per_million": "2000000", "credits": "2"},
        ],
        "exact": "3.734",
        "rounding": "up",
        "round_to": "0.001",
        "minimum": "0",
        "minimum_applies": False,
    }


def test_the_instant_picks_the_version(client: Client, on_sale: PlanVersion) -> None:
    draft = new_rate_card_draft(on_sale.rate_card_id, now=NOON + timedelta(days=1))
    draft.rates.filter(feature__key="chat").update(action_microcredits=9_000_000)
    publish_rate_card_version(draft.pk, now=NOON)
    body = ACTION | {"rate_card": "standard"}
    for at, version, action in (("2026-11-16T11:59:59.999999Z", 1, "0.5"), ("2026-11-16T12:00:00Z", 2, "9")):
        answer = previewed(client, body | {"at": at}).json()
        assert (answer["rate_card_version"], answer["action"]) == (version, action)


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"feature": "talk"}, 404, "feature_unknown", "feature"),
        ({"feature": "sso"}, 422, "feature_not_metered", "feature"),
        ({"model": "gpt-9"}, 404, "model_unknown", "model"),
        ({"rate_card": "other"}, 404, "rate_card_unknown", "rate_card"),
        ({"at": "2025-01-01T00:00:00Z"}, 404, "rate_card_unknown", "rate_card"),
        ({"plan": "pro"}, 422, "invalid_input", "plan"),
        ({"usage": {"input_tokens": -1}}, 422, "invalid_input", "usage.input_tokens"),
        ({"usage": {"input_tokens": 1, "cache_read_tokens": 2}}, 422, "invalid_input", "usage.input_tokens"),
        ({"usage": {"input_tokens": "1"}}, 422, "invalid_input", "usage.input_tokens"),
        ({"usage": {"tokens": 1}}, 422, "invalid_input", "usage"),
        ({"usage": 3}, 422, "invalid_input", "usage"),
        ({"modell": "x"}, 422, "invalid_input", "modell"),
        ({"at": "2026-11-15T12:00:00"}, 422, "invalid_input", "at"),
        ({"feature": 3}, 422, "invalid_input", "feature"),
    ],
)
def test_what_cannot_be_priced_says_why(
    client: Client, on_sale: PlanVersion, change: dict[str, Any], status: int, code: str, field: str
) -> None:
    answer = previewed(client, ACTION | {"rate_card": "standard"} | change)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (status, code, field)


def test_an_action_nobody_rated_is_said_so(client: Client, on_sale: PlanVersion) -> None:
    body = {"feature": "chat", "rate_card": "standard", "usage": {}}
    assert previewed(client, body).json()["code"] == "unrated"


@pytest.mark.parametrize("path", ["/v1/catalogue", "/v1/plans", "/v1/plans/pro", "/v1/top-up-packs"])
def test_reading_needs_a_key_with_that_scope(db: None, path: str) -> None:
    assert Client().get(path).status_code == 401
    _, token = create_key("gate", ["check"], NOON)
    assert Client(headers={"authorization": f"Bearer {token}"}).get(path).status_code == 403


def test_nothing_is_written_here(client: Client, on_sale: PlanVersion) -> None:
    for method in ("post", "put", "patch", "delete"):
        send: Callable[..., Any] = getattr(client, method)
        assert send("/v1/plans/pro").status_code == 405
    assert client.get("/v1/catalogue/preview").status_code == 405
