"""Every hold, downgrade and denial can be read again, with what it was decided from."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from kernel.clock import format_instant
from tests.entitlements.api.conftest import Api, refused
from tests.entitlements.api.gate_stories import Teller, told
from tests.world import Actor

pytestmark = pytest.mark.django_db(transaction=True)


async def some(tells: Teller) -> list[dict[str, Any]]:
    """A hold, a denial for want of credits, a denial by tier, and an allowed check that leaves no record."""
    held = {"estimate": {"credits": "10"}, "hold": {"key": "h1", "ttl_seconds": 60}}
    return [
        await tells.asks(**held),
        await tells.asks(estimate={"credits": "500"}),
        await tells.asks(model="gpt-4o"),
        await tells.asks(estimate={"credits": "1"}),
    ]


def test_a_decision_shows_the_answer_as_it_was_given(api: Api, acme: Actor, now: datetime) -> None:
    held, poor, tier, free = told(now, some)
    assert free["decision_id"] is None
    for answer in (held, poor, tier):
        shown = api.get(f"/decisions/{answer['decision_id']}").json()
        assert shown["answer"] == answer
        assert (shown["id"], shown["customer"]) == (answer["decision_id"], "acme")
        assert (shown["decision"], shown["reason"]) == (answer["decision"], answer["reason"])
        assert shown["decided_at"] == format_instant(now)


def test_a_decision_shows_what_it_was_decided_from(api: Api, acme: Actor, now: datetime) -> None:
    _, poor, _, _ = told(now, some)
    shown = api.get(f"/decisions/{poor['decision_id']}").json()
    assert shown["question"]["estimate"] == 500_000_000
    assert (shown["account"]["posted"], shown["account"]["held"]) == (100_000_000, 10_000_000)
    assert shown["catalogue_revision"] > 0


def test_they_are_listed_newest_first_without_their_inputs(api: Api, acme: Actor, now: datetime) -> None:
    told(now, some)
    later = told(now + timedelta(seconds=5), lambda tells: tells.asks(feature="chat", estimate={"credits": "999"}))
    listed = api.get("/customers/acme/decisions").json()["data"]
    assert listed[0]["id"] == later["decision_id"]
    assert len(listed) == 4
    assert all("account" not in each and each["answer"]["decision_id"] == each["id"] for each in listed)


@pytest.mark.parametrize(
    ("query", "reasons"),
    [
        ({"decision": "deny"}, {"insufficient_credits", "model_tier_not_allowed"}),
        ({"decision": "allow"}, {"entitled"}),
        ({"decision": "downgrade"}, set()),
        ({"reason": "model_tier_not_allowed"}, {"model_tier_not_allowed"}),
        ({"decision": "allow", "reason": "insufficient_credits"}, set()),
    ],
)
def test_they_are_found_by_decision_and_reason(
    api: Api, acme: Actor, now: datetime, query: dict[str, str], reasons: set[str]
) -> None:
    told(now, some)
    assert {each["reason"] for each in api.get("/customers/acme/decisions", **query).json()["data"]} == reasons


def test_they_come_in_pages(api: Api, acme: Actor, now: datetime) -> None:
    told(now, some)
    first = api.get("/customers/acme/decisions", limit=2).json()
    second = api.get(first["next"]).json()
    assert len({each["id"] for each in first["data"] + second["data"]}) == 3
    assert second["next"] is None


def test_a_decision_that_nobody_made_is_not_found(api: Api, acme: Actor) -> None:
    for decision in ("nonsense", "decision_1_" + "0" * 32, "decision_ffffff_" + "0" * 32, "hold_1_" + "0" * 32):
        refused(api.get(f"/decisions/{decision}"), 404, "decision_unknown")
    refused(api.get("/customers/acme/decisions", decision="maybe"), 422, "invalid_input", "decision")
    refused(api.get("/customers/nobody/decisions"), 404, "customer_unknown")
    for path in ("/customers/acme/decisions", "/decisions/nonsense"):
        refused(Api("check").get(path), 403, "scope_missing")
