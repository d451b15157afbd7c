"""Holds over HTTP: exactly what is there can be held, and what is held comes back or is charged, once."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from entitlements.models import Decision, Hold, LimitCounter, OutboxMessage, Run
from kernel.clock import utc_now
from metering.models import UsageEvent
from plans.models import PlanLimit, PlanVersion
from tests.gate import with_gate
from tests.world import CREDIT, Actor, World, assert_ledger_explains

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def acme(world: World) -> Actor:
    return Actor("acme", utc_now(), world.pro)


def question(key: str, credits: str = "10", **parts: Any) -> dict[str, Any]:
    return {
        "customer": "acme",
        "feature": "chat",
        "estimate": {"credits": credits},
        "hold": {"key": key, "ttl_seconds": 60},
    } | parts


async def post(client: httpx.AsyncClient, path: str, json: Any = None) -> dict[str, Any]:
    response = await client.post(path, json={} if json is None else json)
    return {"http": response.status_code} | response.json()


def test_a_hundred_credits_and_fifty_holds_of_ten_let_exactly_ten_through(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        return await asyncio.gather(*(post(client, "/v1/check", question(f"h{number}")) for number in range(50)))

    answers = with_gate(story)
    assert [answer["decision"] for answer in answers].count("allow") == 10
    assert acme.balance(utc_now()).available == 0
    assert Hold.objects.count() == 10
    assert Decision.objects.count() == 50


def test_a_hold_retried_replays_even_after_it_was_settled(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        first = await post(client, "/v1/check", question("h1"))
        again = await post(client, "/v1/check", question("h1"))
        settled = await post(client, f"/v1/holds/{first['hold']['id']}/settle", {"credits": "4"})
        after = await post(client, "/v1/check", question("h1"))
        other = await post(client, "/v1/check", question("h1", "11"))
        return [first, again, settled, after, other]

    first, again, settled, after, other = with_gate(story)
    assert first == again == after
    assert (settled["credits"], settled["balance"]["available"], settled["late"]) == ("4", "96", False)
    assert (other["http"], other["code"]) == (409, "key_reused")
    assert Hold.objects.count() == 1
    assert_ledger_explains(acme.row.pk)


@pytest.mark.parametrize(
    ("actual", "available", "debt"), [("4", "96", "0"), ("10", "90", "0"), ("25", "75", "0"), ("120", "-20", "20")]
)
def test_settling_for_less_equal_or_more(acme: Actor, actual: str, available: str, debt: str) -> None:
    async def story(client: httpx.AsyncClient) -> dict[str, Any]:
        held = await post(client, "/v1/check", question("h1"))
        return await post(client, f"/v1/holds/{held['hold']['id']}/settle", {"credits": actual})

    balance = with_gate(story)["balance"]
    assert (balance["available"], balance["debt"], balance["held"]) == (available, debt, "0")
    assert_ledger_explains(acme.row.pk)


def test_settling_twice_replays_and_another_amount_conflicts(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        held = await post(client, "/v1/check", question("h1"))
        path = f"/v1/holds/{held['hold']['id']}/settle"
        return [await post(client, path, {"credits": amount}) for amount in ("4", "4", "5")]

    first, again, other = with_gate(story)
    assert (first["status"], again["status"]) == ("accepted", "duplicate")
    assert again["balance"] == first["balance"]
    assert (other["http"], other["code"]) == (409, "key_reused")
    assert UsageEvent.objects.count() == 1


def test_a_stream_settles_in_parts_and_the_last_part_gives_back_the_rest(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        held = await post(client, "/v1/check", question("h1"))
        path = f"/v1/holds/{held['hold']['id']}/settle"
        parts = [{"key": "p1", "credits": "3", "final": False}, {"key": "p2", "credits": "2", "final": False}]
        return [await post(client, path, part) for part in [*parts, {"key": "p3", "credits": "1"}]]

    first, second, last = with_gate(story)
    assert [part["hold"]["credits"] for part in (first, second, last)] == ["7", "5", "0"]
    assert (last["balance"]["available"], last["balance"]["held"]) == ("94", "0")
    assert_ledger_explains(acme.row.pk)


def test_voiding_gives_back_and_a_voided_hold_is_not_settled(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        held = await post(client, "/v1/check", question("h1"))
        path = f"/v1/holds/{held['hold']['id']}"
        return [
            await post(client, f"{path}/void"),
            await post(client, f"{path}/void"),
            await post(client, f"{path}/settle", {"credits": "1"}),
        ]

    voided, again, settled = with_gate(story)
    assert (voided["status"], voided["balance"]["available"]) == ("voided", "100")
    assert again["status"] == "voided"
    assert (settled["http"], settled["code"]) == (409, "hold_voided")


def test_a_hold_ends_at_its_deadline_without_a_cron_and_late_work_is_charged_and_told(
    world: World, now: datetime
) -> None:
    acme = Actor("acme", now, world.pro)
    clock = [now]

    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        held = await post(client, "/v1/check", question("h1", "100"))
        clock[0] = now + timedelta(seconds=59)
        full = await post(client, "/v1/check", question("h2", "1"))
        clock[0] = now + timedelta(seconds=60)
        free = await post(client, "/v1/check", question("h3", "1"))
        late = await post(client, f"/v1/holds/{held['hold']['id']}/settle", {"credits": "30"})
        return [full, free, late]

    full, free, late = with_gate(story, clock=lambda: clock[0])
    assert (full["decision"], free["decision"]) == ("deny", "allow")
    assert (late["late"], late["credits"], late["balance"]["posted"]) == (True, "30", "70")
    assert_ledger_explains(acme.row.pk)


def test_made_up_holds_are_not_found(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[int]:
        paths = ["hold_1_" + "0" * 32, "hold_ffffff_" + "0" * 32, "nonsense", "run_1_" + "0" * 32]
        return [(await client.post(f"/v1/holds/{path}/void", json={})).status_code for path in paths]

    assert with_gate(story) == [404] * 4


def limited(world: World, **parts: Any) -> PlanVersion:
    """A plan with 100 credits and one limit."""
    plan = world.plan("limited", included=100)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE plan_limit DISABLE TRIGGER plan_limit_is_published")
        PlanLimit.objects.create(plan_version=plan, key="cap", **parts)
        cursor.execute("ALTER TABLE plan_limit ENABLE TRIGGER plan_limit_is_published")
    return plan


def test_an_hourly_brake_counts_holds_and_resets_on_the_hour(world: World, now: datetime) -> None:
    limited_plan = limited(world, unit="calls", window="hour", value=3, warn_at_percent=[50, 100])
    Actor("acme", now, limited_plan)
    clock = [now]

    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        first = [await post(client, "/v1/check", question(f"h{number}", "1")) for number in range(4)]
        await post(client, f"/v1/holds/{first[0]['hold']['id']}/void")
        again = await post(client, "/v1/check", question("h5", "1"))
        clock[0] = now + timedelta(hours=1)
        return [*first, again, await post(client, "/v1/check", question("h6", "1"))]

    answers = with_gate(story, clock=lambda: clock[0])
    assert [answer["decision"] for answer in answers] == ["allow", "allow", "allow", "deny", "allow", "allow"]
    denied = answers[3]
    assert (denied["reason"], denied["limiting"]["limit"], denied["limiting"]["used"]) == ("limit_reached", "cap", "3")
    assert denied["limiting"]["resets_at"] == "2026-11-15T13:00:00Z"
    told = OutboxMessage.objects.filter(created_at=now).order_by("id")
    assert [message.payload["threshold_percent"] for message in told] == [50, 100]


def test_a_users_allowance_is_their_own(world: World, now: datetime) -> None:
    Actor("acme", now, limited(world, unit="credits", window="day", scope="user", value=5 * CREDIT))

    async def story(client: httpx.AsyncClient) -> list[str]:
        asked = [("ann", "4"), ("ann", "2"), ("bob", "5")]
        answers = [
            await post(client, "/v1/check", question(f"h{number}", credits, user=user))
            for number, (user, credits) in enumerate(asked)
        ]
        return [answer["decision"] for answer in answers]

    assert with_gate(story, clock=lambda: now) == ["allow", "deny", "allow"]


def test_what_was_used_counts_and_not_what_was_held(world: World, now: datetime) -> None:
    acme = Actor("acme", now, limited(world, unit="credits", window="day", value=20 * CREDIT))

    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        held = await post(client, "/v1/check", question("h1", "20"))
        full = await post(client, "/v1/check", question("h2", "1"))
        await post(client, f"/v1/holds/{held['hold']['id']}/settle", {"credits": "3"})
        room = await post(client, "/v1/check", question("h3", "17"))
        return [full, room]

    full, room = with_gate(story, clock=lambda: now)
    assert (full["decision"], room["decision"]) == ("deny", "allow")
    counter = LimitCounter.objects.get(customer_id=acme.row.pk)
    assert (counter.used, counter.held) == (3 * CREDIT, 17 * CREDIT)


def test_a_runs_budget_binds_its_children_and_the_denial_names_the_level(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        outer = await post(client, "/v1/runs", {"key": "outer", "customer": "acme", "budget": {"credits": "10"}})
        await post(client, "/v1/runs", {"key": "inner", "customer": "acme", "parent": "outer"})
        held = await post(client, "/v1/check", question("h1", "6", run="inner"))
        await post(client, f"/v1/holds/{held['hold']['id']}/settle", {"credits": "6"})
        denied = await post(client, "/v1/check", question("h2", "5", run="inner"))
        allowed = await post(client, "/v1/check", question("h3", "4", run="inner"))
        closed = await post(client, f"/v1/runs/{outer['id']}/close")
        late = await post(client, "/v1/check", question("h4", "1", run="inner"))
        return [denied, allowed, closed, late]

    denied, allowed, closed, late = with_gate(story)
    assert (denied["reason"], denied["limiting"]["limit"]) == ("run_budget_exhausted", "run.credits")
    assert (denied["limiting"]["run"], denied["limiting"]["used"]) == ("outer", "6")
    assert allowed["decision"] == "allow"
    assert (closed["status"], closed["credits"], closed["held"]) == ("closed", "6", "0")
    assert late["reason"] == "run_closed"
    assert set(Run.objects.values_list("key", "status", "held_microcredits")) == {("outer", 2, 0), ("inner", 2, 0)}
    assert acme.balance(utc_now()).available == 94 * CREDIT


def test_a_lease_is_spent_locally_and_its_rest_comes_back(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        wanted = {"key": "l1", "customer": "acme", "feature": "chat", "credits": "50"}
        lease = await post(client, "/v1/leases", wanted)
        again = await post(client, "/v1/leases", wanted)
        path = f"/v1/leases/{lease['hold']['id']}"
        spent = await post(
            client, f"{path}/settle", {"events": [{"key": "e1", "credits": "3"}, {"key": "e2", "credits": "4"}]}
        )
        more = await post(client, f"{path}/extend", {"credits": "10", "ttl_seconds": 600})
        too_much = await post(client, "/v1/leases", {**wanted, "key": "l2"})
        return [lease, again, spent, more, too_much, await post(client, f"{path}/release")]

    lease, again, spent, more, too_much, released = with_gate(story)
    assert (lease["http"], again["http"], lease["hold"]) == (201, 200, again["hold"])
    assert (spent["accepted"], spent["hold"]["credits"]) == (2, "43")
    assert more["hold"]["credits"] == "53"
    assert (too_much["http"], too_much["code"]) == (402, "insufficient_credits")
    assert released["balance"]["available"] == "93"
    assert_ledger_explains(acme.row.pk)


def test_what_a_check_finds_due_is_stored_once_behind_it(world: World, now: datetime) -> None:
    Actor("acme", now, world.pro)
    clock = [now]

    async def story(client: httpx.AsyncClient) -> dict[str, Any]:
        await post(client, "/v1/check", question("h1", "100"))
        clock[0] = now + timedelta(minutes=5)
        return await post(client, "/v1/check", {"customer": "acme", "feature": "chat"})

    assert with_gate(story, clock=lambda: clock[0])["balance"]["available"] == "100"
    hold = Hold.objects.get()
    assert (hold.status, hold.closed_at) == (Hold.Status.EXPIRED, now + timedelta(seconds=60))


def test_a_limit_on_each_run_counts_what_the_run_has_used_and_holds(world: World, now: datetime) -> None:
    Actor("acme", now, limited(world, unit="credits", window="run", scope="run", value=10 * CREDIT))

    async def story(client: httpx.AsyncClient) -> list[str]:
        for key in ("one", "two"):
            await post(client, "/v1/runs", {"key": key, "customer": "acme"})
        used = {"key": "e1", "customer": "acme", "feature": "chat", "credits": "4", "run": "one"}
        await post(client, "/v1/usage", used)
        asked = [("one", "5"), ("one", "2"), ("two", "10")]
        answers = [
            await post(client, "/v1/check", question(f"h{number}", credits, run=run))
            for number, (run, credits) in enumerate(asked)
        ]
        return [answer["decision"] for answer in answers]

    assert with_gate(story, clock=lambda: now) == ["allow", "deny", "allow"]
