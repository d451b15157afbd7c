"""How far each limit is used now, by the windows and counters the gate decides from."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from plans.models import PlanLimit, PlanVersion
from tests.entitlements.api.conftest import Api, refused
from tests.entitlements.api.gate_stories import Teller, told
from tests.world import CREDIT, Actor, World

pytestmark = pytest.mark.django_db(transaction=True)


def limits(plan: PlanVersion, **by_key: dict[str, Any]) -> None:
    """Limits on a plan that is on sale already."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE plan_limit DISABLE TRIGGER plan_limit_is_published")
        for key, parts in by_key.items():
            PlanLimit.objects.create(
                plan_version=plan, **({"key": key.replace("_", "-"), "unit": "credits", "window": "day"} | parts)
            )
        cursor.execute("ALTER TABLE plan_limit ENABLE TRIGGER plan_limit_is_published")


def standings(api: Api, **query: str) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = api.get("/customers/acme/limits", **query).json()["data"]
    return shown


async def spending(tells: Teller) -> None:
    """10 used and 6 held of credits, two calls of ann's and one of bob's, in one run."""
    await tells.opens("agent")
    await tells.uses("e1", "10", user="ann", run="agent")
    await tells.holds("h1", "4", user="ann", run="agent")
    await tells.holds("h2", "2", user="bob")


def test_a_limit_shows_what_is_used_held_and_left_and_the_threshold_reached(
    api: Api, acme: Actor, world: World, now: datetime
) -> None:
    limits(world.pro, daily={"value": 20 * CREDIT, "warn_at_percent": [50, 80, 100], "kind": "soft"})
    told(now, spending)
    (shown,) = standings(api)
    definition = shown.pop("limit")
    assert (definition["key"], definition["value"], definition["warn_at_percent"]) == ("daily", "20", [50, 80, 100])
    assert shown == {
        "user": None,
        "run": None,
        "used": "10",
        "held": "6",
        "left": "4",
        "resets_at": "2026-11-16T00:00:00Z",
        "reached_percent": 80,
        "counted_by": "counter",
    }


def test_a_limit_nobody_has_used_stands_at_nothing(api: Api, acme: Actor, world: World) -> None:
    limits(world.pro, daily={"value": 20 * CREDIT, "warn_at_percent": [50]}, each={"window": "draw", "value": CREDIT})
    daily, each = standings(api)
    assert (daily["used"], daily["held"], daily["left"], daily["reached_percent"]) == ("0", "0", "20", None)
    assert (each["used"], each["left"], each["resets_at"], each["reached_percent"]) == (None, "1", None, None)


def test_a_new_window_starts_at_nothing_although_the_stored_counter_is_of_the_old_one(
    api: Api, acme: Actor, world: World, now: datetime, clock: Any
) -> None:
    limits(world.pro, hourly={"window": "hour", "value": 20 * CREDIT}, always={"window": "lifetime", "value": CREDIT})
    told(now, lambda tells: tells.uses("e1", "15"))
    clock(now + timedelta(hours=1))
    by_key = {each["limit"]["key"]: each for each in standings(api)}
    assert (by_key["hourly"]["used"], by_key["hourly"]["resets_at"]) == ("0", "2026-11-15T14:00:00Z")
    assert (by_key["always"]["used"], by_key["always"]["left"], by_key["always"]["resets_at"]) == ("15", "0", None)


def test_what_is_held_counts_in_the_next_window_too(
    api: Api, acme: Actor, world: World, now: datetime, clock: Any
) -> None:
    limits(world.pro, minutely={"window": "minute", "value": 20 * CREDIT})
    told(now + timedelta(seconds=30), lambda tells: tells.holds("h1", "7"))
    clock(now + timedelta(seconds=60))
    (shown,) = standings(api)
    assert (shown["used"], shown["held"], shown["left"]) == ("0", "7", "13")
    clock(now + timedelta(seconds=90))
    (shown,) = standings(api)
    assert shown["held"] == "0", "the hold has expired"


def test_what_a_user_held_is_free_at_the_deadline_although_nothing_wrote_it(
    api: Api, acme: Actor, world: World, now: datetime, clock: Any
) -> None:
    limits(world.pro, each_user={"scope": "user", "value": 20 * CREDIT})
    told(now, lambda tells: tells.holds("h1", "7", user="ann"))
    for query in ({}, {"user": "ann"}):
        clock(now + timedelta(seconds=59))
        assert [each["held"] for each in standings(api, **query)] == ["7"]
        clock(now + timedelta(seconds=60))
        assert [each["held"] for each in standings(api, **query)] == ["0"]


def test_a_day_is_the_customers_own_and_a_period_is_the_accounts(
    api: Api, acme: Actor, world: World, now: datetime
) -> None:
    limits(world.pro, daily={"value": CREDIT}, monthly={"value": CREDIT, "window": "period"})
    acme.row.time_zone = "Asia/Tokyo"
    acme.row.save()
    assert [each["resets_at"] for each in standings(api)] == ["2026-11-15T15:00:00Z", "2026-12-15T12:00:00Z"]


def test_users_are_shown_nearest_first_and_one_can_be_named(api: Api, acme: Actor, world: World, now: datetime) -> None:
    limits(world.pro, each_user={"scope": "user", "value": 20 * CREDIT})
    told(now, spending)
    assert [(each["user"], each["used"], each["held"]) for each in standings(api)] == [
        ("ann", "10", "4"),
        ("bob", "0", "2"),
    ]
    (bob,) = standings(api, user="bob")
    assert (bob["user"], bob["left"]) == ("bob", "18")
    (nobody,) = standings(api, user="carl")
    assert (nobody["user"], nobody["used"], nobody["left"]) == ("carl", "0", "20")


def test_only_the_users_nearest_to_a_limit_are_shown(api: Api, acme: Actor, world: World, now: datetime) -> None:
    limits(world.pro, each_user={"scope": "user", "unit": "calls", "value": 5})

    async def story(tells: Teller) -> None:
        for number in range(12):
            for call in range(2 if number == 7 else 1):
                await tells.uses(f"e{number}-{call}", "0", user=f"u{number}")

    told(now, story)
    shown = standings(api)
    assert (len(shown), shown[0]["user"], shown[0]["used"]) == (10, "u7", "2")


def test_open_runs_are_shown_and_one_can_be_named(api: Api, acme: Actor, world: World, now: datetime) -> None:
    limits(world.pro, each_run={"scope": "run", "window": "run", "unit": "calls", "value": 20})

    async def story(tells: Teller) -> None:
        await spending(tells)
        await tells.opens("idle")
        done = await tells.opens("done")
        await tells.uses("e2", "1", run="done")
        await tells.post(f"/v1/runs/{done}/close")

    told(now, story)
    (agent,) = standings(api)
    assert (agent["run"], agent["used"], agent["held"], agent["left"], agent["resets_at"]) == (
        "agent",
        "1",
        "1",
        "18",
        None,
    )
    (done,) = standings(api, run="done")
    assert (done["run"], done["used"]) == ("done", "1")
    (idle,) = standings(api, run="idle")
    assert (idle["run"], idle["used"], idle["left"]) == ("idle", "0", "20")
    assert standings(api, run="unknown") == []


def test_a_limit_of_everyone_is_read_from_rollups_and_says_so(
    api: Api, acme: Actor, world: World, now: datetime
) -> None:
    limits(world.pro, breaker={"scope": "everyone", "unit": "cost", "value": 1_000_000_000, "warn_at_percent": [10]})
    Actor("globex", now, world.metered)

    async def story(tells: Teller) -> None:
        await tells.post(
            "/v1/usage",
            {"key": "e1", "customer": "globex", "feature": "chat", "credits": "1", "reported_cost_usd": "0.25"},
        )
        await spending(tells)

    told(now, story)
    (shown,) = standings(api)
    assert (shown["limit"]["scope"], shown["counted_by"]) == ("everyone", "rollup")
    assert (shown["used"], shown["held"], shown["left"], shown["reached_percent"]) == ("0.25", "0", "0.75", 10)


def test_a_customer_without_a_plan_has_no_limits(api: Api) -> None:
    api.put("/customers/acme", {})
    assert standings(api) == []


def test_bad_questions_are_refused(api: Api, acme: Actor) -> None:
    refused(api.get("/customers/acme/limits", scope="user"), 422, "invalid_input", "scope")
    refused(api.get("/customers/nobody/limits"), 404, "customer_unknown")
    refused(Api("usage").get("/customers/acme/limits"), 403, "scope_missing")
