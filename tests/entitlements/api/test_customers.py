"""Customers by the product's own key."""

from datetime import datetime
from typing import Any

import pytest

from entitlements.models import Balance, Customer
from tests.entitlements.api.conftest import Api, refused
from tests.world import Actor, World

pytestmark = pytest.mark.django_db


def test_putting_a_new_key_creates_the_customer_with_an_empty_balance(api: Api) -> None:
    response = api.put("/customers/acme", {"name": "Acme", "tags": {"team": "blue", "seats": 5, "beta": True}})
    assert response.status_code == 201
    assert response.json() == {
        "key": "acme",
        "name": "Acme",
        "email": "",
        "currency": "USD",
        "time_zone": "UTC",
        "tags": {"team": "blue", "seats": 5, "beta": True},
        "created_at": "2026-11-15T12:00:00Z",
        "subscription": None,
    }
    assert Balance.objects.filter(customer_id=Customer.objects.get().pk).exists()


def test_putting_it_again_changes_what_is_said_and_keeps_the_rest(api: Api) -> None:
    api.put("/customers/acme", {"name": "Acme", "email": "ops@acme.example", "tags": {"team": "blue"}})
    response = api.put("/customers/acme", {"name": "Acme Inc", "tags": {}})
    assert response.status_code == 200
    body = response.json()
    assert (body["name"], body["email"], body["tags"]) == ("Acme Inc", "ops@acme.example", {})
    assert api.get("/customers/acme").json() == body
    assert Customer.objects.count() == 1


def test_an_empty_body_only_makes_sure_the_customer_is_there(api: Api) -> None:
    assert api.put("/customers/acme", {}).status_code == 201
    assert api.put("/customers/acme", {}).status_code == 200


@pytest.mark.parametrize("key", ["a", "user@example.com", "org:42", "Ünïcødé", "a b", "名前", "x" * 128])
def test_any_printable_key_works(api: Api, key: str) -> None:
    path = f"/customers/{quoted(key)}"
    assert api.put(path, {}).status_code == 201
    assert api.get(path).json()["key"] == key


@pytest.mark.parametrize("key", ["x" * 129, " a", "a ", "a\nb", "a\0b", "a\u200bb", "\ud800", "\u202e"])
def test_a_key_nobody_could_read_or_type_is_refused(api: Api, key: str) -> None:
    refused(api.put(f"/customers/{quoted(key)}", {}), 422, "invalid_input", "key")
    refused(api.get(f"/customers/{quoted(key)}"), 404, "customer_unknown")


def quoted(key: str) -> str:
    from urllib.parse import quote

    return quote(key, safe="", errors="replace") if key != "\ud800" else "%ED%A0%80%00"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x" * 201}, "name"),
        ({"name": 7}, "name"),
        ({"name": "a\0"}, "name"),
        ({"email": "not an address"}, "email"),
        ({"email": f"{'a' * 250}@example.com"}, "email"),
        ({"currency": "usd"}, "currency"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": None}, "currency"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"tags": []}, "tags"),
        ({"tags": None}, "tags"),
        ({"tags": {"": "a"}}, "tags"),
        ({"tags": {"x" * 65: "a"}}, "tags"),
        ({"tags": {"team": None}}, "tags.team"),
        ({"tags": {"team": {"deep": 1}}}, "tags.team"),
        ({"tags": {"team": "x" * 501}}, "tags.team"),
        ({"tags": {"team": "a\0b"}}, "tags.team"),
        ({"tags": {"te\0am": "a"}}, "tags"),
        ({"tags": {str(n): n for n in range(33)}}, "tags"),
        ({"key": "other"}, "key"),
        ({"balance": "100"}, "balance"),
        ([], None),
    ],
)
def test_bad_details_are_refused_and_nothing_is_created(api: Api, body: Any, field: str | None) -> None:
    refused(api.put("/customers/acme", body), 422, "invalid_input", field)
    assert not Customer.objects.exists()


def test_an_unknown_customer_is_said_to_be_unknown_everywhere(api: Api, world: World) -> None:
    for part in ("", "/balance", "/ledger", "/usage", "/entitlements", "/grants", "/subscription"):
        refused(api.get(f"/customers/nobody{part}"), 404, "customer_unknown")
    grant = {"key": "g", "credits": "1", "source": "promo"}
    refused(api.post("/customers/nobody/grants", grant), 404, "customer_unknown")
    refused(api.put("/customers/nobody/subscription", {"plan": "pro"}), 404, "customer_unknown")
    refused(api.delete("/customers/nobody/subscription"), 404, "customer_unknown")


def test_the_currency_is_free_until_there_is_money_in_it(api: Api, acme: Actor, now: datetime) -> None:
    Actor("fresh", now)
    assert api.put("/customers/fresh", {"currency": "EUR"}).json()["currency"] == "EUR"
    refused(api.put("/customers/acme", {"currency": "EUR"}), 409, "currency_in_use", "currency")
    assert api.put("/customers/acme", {"currency": "USD"}).status_code == 200


def keys(response: Any) -> list[str]:
    return [customer["key"] for customer in response.json()["data"]]


def test_customers_are_listed_by_key_in_pages(api: Api) -> None:
    for key in ("c", "a", "b"):
        api.put(f"/customers/{key}", {})
    first = api.get("/customers", limit=2)
    assert keys(first) == ["a", "b"]
    last = api.get(first.json()["next"])
    assert keys(last) == ["c"]
    assert last.json()["next"] is None


def test_customers_are_found_by_tag_and_by_plan(api: Api, acme: Actor, world: World, now: datetime) -> None:
    api.put("/customers/blue", {"tags": {"team": "blue", "seats": 5}})
    api.put("/customers/red", {"tags": {"team": "red", "beta": True, "a:b": "c__d"}})
    assert keys(api.get("/customers", tag="team")) == ["blue", "red"]
    assert keys(api.get("/customers", tag="team:blue")) == ["blue"]
    assert keys(api.get("/customers", tag="seats:5")) == ["blue"]
    assert keys(api.get("/customers", tag="beta:true")) == ["red"]
    assert keys(api.get("/customers", tag="team:")) == []
    assert keys(api.get("/customers", tag="nothing")) == []
    assert keys(api.get("/customers", plan="pro")) == ["acme"]
    assert keys(api.get("/customers", plan="pro", tag="team")) == []
    assert api.get("/customers", plan="pro").json()["data"][0]["subscription"]["plan"] == "pro"


def test_listing_does_not_ask_the_database_for_each_customer(
    api: Api, world: World, now: datetime, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        Actor(f"c{number}", now, world.pro)
    with django_assert_max_num_queries(6):
        assert len(keys(api.get("/customers"))) == 5


@pytest.mark.parametrize("query", [{"tga": "x"}, {"page": "2"}, {"tag": ""}, {"tag": "\0"}, {"plan": "\0"}])
def test_a_filter_that_would_not_filter_is_refused(api: Api, query: dict[str, str]) -> None:
    refused(api.get("/customers", **query), 422, "invalid_input", next(iter(query)))


def test_reading_needs_read_and_writing_needs_admin(db: None) -> None:
    reader, gatekeeper = Api("read"), Api("check", "usage")
    assert reader.get("/customers").status_code == 200
    refused(reader.put("/customers/acme", {}), 403, "scope_missing")
    refused(gatekeeper.get("/customers"), 403, "scope_missing")
