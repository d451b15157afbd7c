"""What is left, and the entries that explain it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from entitlements.models import LedgerEntry
from tests.entitlements.api.conftest import Api, refused
from tests.world import Actor

pytestmark = pytest.mark.django_db

Clock = Callable[[datetime], None]


def ledger(api: Api, **query: Any) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = api.get("/customers/acme/ledger", **query).json()["data"]
    return entries


def test_a_balance_is_exact_and_names_its_plan_and_period(api: Api, acme: Actor) -> None:
    acme.spends("12.345678", key="e1")
    assert api.get("/customers/acme/balance").json() == {
        "posted": "87.654322",
        "held": "0",
        "debt": "0",
        "overage": "0",
        "available": "87.654322",
        "valid_until": "2026-12-15T12:00:00Z",
        "period": {"start": "2026-11-15T12:00:00Z", "end": "2026-12-15T12:00:00Z"},
        "plan": {"key": "pro", "version": 1},
    }


def test_a_customer_without_a_plan_has_a_balance_too(api: Api) -> None:
    api.put("/customers/bare", {})
    body = api.get("/customers/bare/balance").json()
    assert (body["available"], body["period"], body["plan"], body["valid_until"]) == ("0", None, None, None)


def test_what_was_used_beyond_is_debt(api: Api, acme: Actor) -> None:
    acme.spends(130, key="e1")
    body = api.get("/customers/acme/balance").json()
    assert (body["posted"], body["debt"], body["available"]) == ("0", "30", "-30")


def test_the_ledger_is_newest_first_and_speaks_the_callers_keys(api: Api, acme: Actor) -> None:
    grant = acme.is_granted(50)
    acme.spends("2.5", key="call-1")
    burn, top_up, allowance = ledger(api)
    assert burn == {
        "seq": 3,
        "kind": "burn",
        "bucket": "posted",
        "credits": "-2.5",
        "grant": allowance["grant"],
        "event": "call-1",
        "effective_at": "2026-11-15T12:00:00Z",
        "recorded_at": "2026-11-15T12:00:00Z",
    }
    assert (top_up["kind"], top_up["credits"], top_up["grant"]) == ("grant", "50", str(grant.id))
    assert (allowance["kind"], allowance["credits"], allowance["event"]) == ("grant", "100", None)


def test_the_ledger_sums_to_the_balance_whatever_happened(api: Api, acme: Actor) -> None:
    acme.spends(130, key="e1")
    acme.is_granted(10)
    acme.spends("0.000001", key="e2")
    balance = api.get("/customers/acme/balance").json()
    total = sum(Decimal(entry["credits"]) for entry in ledger(api))
    assert total == Decimal(balance["posted"]) - Decimal(balance["debt"]) - Decimal(balance["overage"])


def test_a_renewal_that_is_due_shows_in_the_list_although_nothing_wrote_it(
    api: Api, acme: Actor, now: datetime, clock: Clock
) -> None:
    clock(now + timedelta(days=31))
    assert api.get("/customers/acme/balance").json()["available"] == "100"
    assert LedgerEntry.objects.count() == 1, "reading a balance writes nothing"
    assert [(entry["kind"], entry["credits"]) for entry in ledger(api)] == [
        ("grant", "100"),
        ("expire", "-100"),
        ("grant", "100"),
    ]


def test_the_ledger_comes_in_pages(api: Api, acme: Actor) -> None:
    for number in range(4):
        acme.spends(1, key=f"e{number}")
    first = api.get("/customers/acme/ledger", limit=3).json()
    second = api.get(first["next"]).json()
    assert [entry["seq"] for entry in first["data"]] == [5, 4, 3]
    assert [entry["seq"] for entry in second["data"]] == [2, 1]
    assert second["next"] is None


def test_pages_do_not_show_another_customers_entries(api: Api, acme: Actor, now: datetime) -> None:
    globex = Actor("globex", now)
    globex.is_granted(7)
    assert [entry["credits"] for entry in api.get("/customers/globex/ledger").json()["data"]] == ["7"]


def test_the_number_of_queries_does_not_grow_with_the_page(
    api: Api, acme: Actor, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        acme.spends(1, key=f"e{number}")
    with django_assert_max_num_queries(8):
        assert len(ledger(api)) == 11


def test_unknown_parameters_are_refused(api: Api, acme: Actor) -> None:
    refused(api.get("/customers/acme/balance", at="2026-01-01"), 422, "invalid_input", "at")
    refused(api.get("/customers/acme/ledger", kind="burn"), 422, "invalid_input", "kind")
