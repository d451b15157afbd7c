"""Credits given by hand or by the product's backend, once per key."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from entitlements.models import CreditGrant
from kernel.clock import format_instant
from tests.entitlements.api.conftest import Api, refused
from tests.world import Actor, World

pytestmark = pytest.mark.django_db

PROMO = {"key": "welcome", "credits": "25.5", "source": "promo", "reason": "welcome gift"}


def grant(api: Api, body: Any) -> Any:
    return api.post("/customers/acme/grants", body)


def available(api: Api) -> str:
    text: str = api.get("/customers/acme/balance").json()["available"]
    return text


def test_a_grant_is_there_at_once(api: Api, acme: Actor) -> None:
    response = grant(api, PROMO)
    assert response.status_code == 201
    body = response.json()
    assert body.pop("id") == str(CreditGrant.objects.get(key="welcome").id)
    assert body == {
        "key": "welcome",
        "source": "promo",
        "state": "active",
        "credits": "25.5",
        "remaining": "25.5",
        "priority": 20,
        "effective_at": "2026-11-15T12:00:00Z",
        "expires_at": None,
        "created_at": "2026-11-15T12:00:00Z",
        "paid": {"amount": "0.00", "currency": "USD"},
        "reason": "welcome gift",
    }
    assert available(api) == "125.5"


def test_repeating_it_changes_nothing(api: Api, acme: Actor) -> None:
    first = grant(api, PROMO)
    again = grant(api, PROMO)
    assert again.status_code == 200
    assert again.json() == first.json()
    assert available(api) == "125.5"


def test_the_same_key_with_another_amount_is_refused(api: Api, acme: Actor) -> None:
    grant(api, PROMO)
    refused(grant(api, PROMO | {"credits": "26"}), 409, "key_reused", "key")
    assert available(api) == "125.5"


def test_a_key_belongs_to_its_customer(api: Api, acme: Actor, now: datetime) -> None:
    Actor("globex", now)
    grant(api, PROMO)
    assert api.post("/customers/globex/grants", PROMO).status_code == 201


def test_dates_priority_and_payment_are_kept(api: Api, acme: Actor, now: datetime) -> None:
    later, end = format_instant(now + timedelta(days=1)), format_instant(now + timedelta(days=90))
    body = {"key": "p", "credits": "100", "source": "top_up", "effective_at": later, "expires_at": end}
    answer = grant(api, body | {"priority": 7, "paid": {"amount": "9.9", "currency": "USD"}}).json()
    assert (answer["state"], answer["effective_at"], answer["expires_at"]) == ("pending", later, end)
    assert (answer["priority"], answer["paid"]) == (7, {"amount": "9.90", "currency": "USD"})
    assert available(api) == "100", "not before its time"


def test_grants_are_listed_newest_first_with_what_is_left(api: Api, acme: Actor) -> None:
    grant(api, PROMO)
    acme.spends("30.5", key="e1")
    listed = api.get("/customers/acme/grants").json()["data"]
    left = {each["source"]: (each["state"], each["remaining"]) for each in listed}
    assert left == {"promo": ("closed", "0"), "allowance": ("active", "95")}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": None}, "key"),
        ({"key": ""}, "key"),
        ({"key": 5}, "key"),
        ({"key": "x" * 256}, "key"),
        ({"key": "a\0b"}, "key"),
        ({"credits": 25.5}, "credits"),
        ({"credits": "0"}, "credits"),
        ({"credits": "-1"}, "credits"),
        ({"credits": "0.0000001"}, "credits"),
        ({"credits": "1e30"}, "credits"),
        ({"credits": "9" * 50}, "credits"),
        ({"credits": "Infinity"}, "credits"),
        ({"credits": "12,5"}, "credits"),
        ({"source": "allowance"}, "source"),
        ({"source": "gift"}, "source"),
        ({"source": ["promo"]}, "source"),
        ({"effective_at": "2026-11-15T12:00:00"}, "effective_at"),
        ({"effective_at": "soon"}, "effective_at"),
        ({"expires_at": "2026-11-15T12:00:00Z"}, "expires_at"),
        ({"expires_at": "2026-11-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "12026-11-15T12:00:00Z"}, "expires_at"),
        ({"effective_at": "2027-01-02T00:00:00Z", "expires_at": "2027-01-01T00:00:00Z"}, "expires_at"),
        ({"priority": -1}, "priority"),
        ({"priority": 32_768}, "priority"),
        ({"priority": 10**30}, "priority"),
        ({"priority": "first"}, "priority"),
        ({"paid": {"amount": "5", "currency": "EUR"}}, "paid.currency"),
        ({"paid": {"amount": "-5", "currency": "USD"}}, "paid.amount"),
        ({"paid": {"amount": "100000000000", "currency": "USD"}}, "paid.amount"),
        ({"reason": "x" * 1001}, "reason"),
        ({"reason": "a\0"}, "reason"),
        ({"expire_at": "2027-01-01T00:00:00Z"}, "expire_at"),
    ],
)
def test_a_bad_grant_is_refused_and_gives_nothing(api: Api, acme: Actor, change: dict[str, Any], field: str) -> None:
    refused(grant(api, PROMO | change), 422, "invalid_input", field)
    assert available(api) == "100"


def test_giving_needs_admin(api: Api, acme: Actor) -> None:
    reader = Api("read", "check", "usage")
    refused(reader.post("/customers/acme/grants", PROMO), 403, "scope_missing")
    assert reader.get("/customers/acme/grants").status_code == 200


def test_who_gave_it_is_on_record(api: Api, acme: Actor, world: World) -> None:
    grant(api, PROMO)
    assert CreditGrant.objects.get(key="welcome").actor.startswith("key weir_sk_")
