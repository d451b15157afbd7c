"""Putting customers on plans."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from entitlements.models import Subscription
from plans.models import Plan, PlanVersion
from tests.entitlements.api.conftest import Api, refused
from tests.world import Actor, World

pytestmark = pytest.mark.django_db

PATH = "/customers/fresh/subscription"


@pytest.fixture
def fresh(world: World, now: datetime, clock: object) -> Actor:
    """A customer on no plan."""
    return Actor("fresh", now)


def test_subscribing_grants_the_allowance(api: Api, fresh: Actor) -> None:
    response = api.put(PATH, {"plan": "pro"})
    assert response.status_code == 201
    assert response.json() == {
        "plan": "pro",
        "version": 1,
        "anchor": "2026-11-15T12:00:00Z",
        "started_at": "2026-11-15T12:00:00Z",
        "ended_at": None,
    }
    assert api.get(PATH).json() == response.json()
    assert api.get("/customers/fresh/balance").json()["available"] == "100"


def test_being_on_it_already_changes_nothing(
    api: Api, fresh: Actor, now: datetime, clock: Callable[[datetime], None]
) -> None:
    first = api.put(PATH, {"plan": "pro"}).json()
    clock(now + timedelta(hours=1))
    again = api.put(PATH, {"plan": "pro", "version": 1})
    assert (again.status_code, again.json()) == (200, first)
    assert api.get("/customers/fresh/balance").json()["available"] == "100"


def test_changing_over_ends_the_former_subscription_and_keeps_its_anchor(
    api: Api, fresh: Actor, now: datetime, clock: Callable[[datetime], None]
) -> None:
    api.put(PATH, {"plan": "pro"})
    clock(now + timedelta(days=3))
    changed = api.put(PATH, {"plan": "metered"}).json()
    assert (changed["plan"], changed["anchor"]) == ("metered", "2026-11-15T12:00:00Z")
    former = Subscription.objects.get(plan_version__plan__key="pro")
    assert former.ended_at == now + timedelta(days=3)
    assert api.get("/customers/fresh/balance").json()["available"] == "0"


def test_an_anchor_moves_the_periods(api: Api, fresh: Actor) -> None:
    api.put(PATH, {"plan": "pro", "anchor": "2026-11-01T00:00:00Z"})
    period = api.get("/customers/fresh/balance").json()["period"]
    assert period == {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"}


@pytest.mark.parametrize("anchor", ["2000-01-31T00:00:00Z", "2199-12-31T00:00:00Z"])
def test_a_far_anchor_still_gives_a_period_around_now(api: Api, fresh: Actor, now: datetime, anchor: str) -> None:
    assert api.put(PATH, {"plan": "pro", "anchor": anchor}).status_code == 201
    period = api.get("/customers/fresh/balance").json()["period"]
    assert datetime.fromisoformat(period["start"]) <= now < datetime.fromisoformat(period["end"])


def test_ending_takes_the_allowance_back_and_can_be_said_once(api: Api, fresh: Actor) -> None:
    api.put(PATH, {"plan": "pro"})
    assert api.delete(PATH).json()["ended_at"] == "2026-11-15T12:00:00Z"
    assert api.get("/customers/fresh/balance").json()["available"] == "0"
    refused(api.delete(PATH), 404, "not_subscribed")
    refused(api.get(PATH), 404, "not_subscribed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "plan"),
        ({"plan": "gold"}, "plan"),
        ({"plan": 5}, "plan"),
        ({"plan": "a\0"}, "plan"),
        ({"plan": "pro", "version": 2}, "version"),
        ({"plan": "pro", "version": 0}, "version"),
        ({"plan": "pro", "version": 10**40}, "version"),
        ({"plan": "pro", "version": "latest"}, "version"),
        ({"plan": "pro", "anchor": "2026-11-01"}, "anchor"),
        ({"plan": "pro", "anchor": "2026-11-01T00:00:00"}, "anchor"),
        ({"plan": "pro", "anchor": "9999-11-01T00:00:00Z"}, "anchor"),
        ({"plan": "pro", "trial": True}, "trial"),
    ],
)
def test_a_bad_subscription_is_refused(api: Api, fresh: Actor, body: dict[str, Any], field: str) -> None:
    refused(api.put(PATH, body), 422, "invalid_input", field)
    assert not Subscription.objects.exists()


def test_only_published_versions_are_on_sale(api: Api, fresh: Actor, world: World) -> None:
    PlanVersion.objects.create(plan=world.pro.plan, number=2, rate_card=world.card)
    PlanVersion.objects.create(plan=Plan.objects.create(key="next", name="Next"), number=1, rate_card=world.card)
    assert api.put(PATH, {"plan": "pro"}).json()["version"] == 1
    refused(api.put(PATH, {"plan": "pro", "version": 2}), 409, "plan_not_published", "plan")
    refused(api.put(PATH, {"plan": "next"}), 422, "invalid_input", "plan")
