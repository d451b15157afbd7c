"""Limits of a whole plan and of everyone: circuit breakers that see what all customers used, from rollups."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import httpx
import pytest
from django.core.management import call_command
from django.db import connection

from entitlements.models import Decision
from entitlements.store.shared import MAX_AGE_SECONDS, SharedUsage
from plans.models import PlanLimit, PlanVersion
from tests import accounts
from tests.gate import aside, event, with_gate
from tests.world import CREDIT, Actor, World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return World()


def limit(plan: PlanVersion, **parts: Any) -> PlanLimit:
    """A limit on a plan that is on sale already."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE plan_limit DISABLE TRIGGER plan_limit_is_published")
        row = PlanLimit.objects.create(
            plan_version=plan, **({"key": "breaker", "unit": "calls", "window": "day"} | parts)
        )
        cursor.execute("ALTER TABLE plan_limit ENABLE TRIGGER plan_limit_is_published")
    return row


def checks(*customers: str, at: datetime) -> list[dict[str, Any]]:
    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        body = {"feature": "chat", "estimate": {"credits": "1"}}
        return [(await client.post("/v1/check", json={"customer": customer} | body)).json() for customer in customers]

    return with_gate(story, clock=lambda: at)


def test_what_one_customer_uses_trips_the_plans_breaker_for_the_other(world: World, now: datetime) -> None:
    limit(world.pro, scope="plan", unit="credits", value=10 * CREDIT)
    acme, _ = Actor("acme", now, world.pro), Actor("globex", now, world.pro)
    Actor("elsewhere", now, world.metered)
    acme.spends(9, key="e1")
    assert [answer["decision"] for answer in checks("globex", at=now)] == ["allow"]
    acme.spends("0.5", key="e2")
    denied, other_plan = checks("globex", "elsewhere", at=now)
    assert (denied["decision"], denied["reason"]) == ("deny", "limit_reached")
    assert denied["limiting"] == {
        "limit": "breaker",
        "scope": "plan",
        "unit": "credits",
        "used": "9.5",
        "value": "10",
        "resets_at": "2026-11-16T00:00:00Z",
        "run": None,
    }
    assert other_plan["decision"] == "allow"


def test_a_breaker_of_everyone_counts_every_plan(world: World, now: datetime) -> None:
    limit(world.pro, scope="everyone", value=2)
    Actor("acme", now, world.pro)
    Actor("globex", now, world.metered).spends(1, key="e1")
    assert [answer["decision"] for answer in checks("acme", at=now)] == ["allow"]
    Actor("initech", now).spends(1, key="e2")
    (denied,) = checks("acme", at=now)
    assert (denied["limiting"]["scope"], denied["limiting"]["used"]) == ("everyone", "2")


@pytest.mark.parametrize(
    ("window", "resets_at", "free_again"),
    [
        ("day", "2026-11-16T00:00:00Z", datetime(2026, 11, 16, tzinfo=UTC)),
        ("period", "2026-12-01T00:00:00Z", datetime(2026, 12, 1, tzinfo=UTC)),
        ("lifetime", None, None),
    ],
)
def test_the_window_is_the_utc_day_the_calendar_month_or_all_time(
    world: World, now: datetime, window: str, resets_at: str | None, free_again: datetime | None
) -> None:
    limit(world.pro, scope="plan", window=window, value=1)
    acme = Actor("acme", now, world.pro)
    acme.row.time_zone = "Asia/Tokyo"
    acme.row.save()
    acme.spends(1, key="e1")
    (denied,) = checks("acme", at=now)
    assert (denied["decision"], denied["limiting"]["resets_at"]) == ("deny", resets_at)
    if free_again is not None:
        answers = [*checks("acme", at=free_again - timedelta(seconds=1)), *checks("acme", at=free_again)]
        assert [answer["decision"] for answer in answers] == ["deny", "allow"]
    else:
        assert checks("acme", at=now + timedelta(days=4000))[0]["decision"] == "deny"


@pytest.mark.parametrize(
    ("parts", "decision"),
    [
        ({"unit": "cost", "value": 1}, "deny"),
        ({"unit": "tokens", "value": 1100}, "deny"),
        ({"unit": "tokens", "value": 2200}, "allow"),
        ({"unit": "calls", "value": 1, "feature": "chat"}, "deny"),
        ({"unit": "calls", "value": 1, "tier": "economy"}, "deny"),
        ({"unit": "calls", "value": 1, "tier": "premium"}, "allow"),
        ({"unit": "calls", "value": 1, "kind": "soft"}, "allow"),
    ],
)
def test_a_breaker_counts_its_unit_of_what_it_covers(
    world: World, now: datetime, parts: dict[str, Any], decision: str
) -> None:
    named = {name: getattr(world, parts[name]) for name in ("feature", "tier") if name in parts}
    limit(world.pro, scope="plan", **(parts | named))
    acme = Actor("acme", now, world.pro)
    acme.uses(accounts.fact("e1", at=now))

    async def story(client: httpx.AsyncClient) -> dict[str, Any]:
        body = {"customer": "acme", "feature": "chat", "model": "gpt-4o-mini", "estimate": {"input_tokens": 1000}}
        answer: dict[str, Any] = (await client.post("/v1/check", json=body)).json()
        return answer

    answer = with_gate(story, clock=lambda: now)
    assert answer["decision"] == decision
    assert ("soft_limit" in [warning["code"] for warning in answer["warnings"]]) == (parts.get("kind") == "soft")


def test_every_version_of_a_plan_is_the_plan(world: World, now: datetime) -> None:
    limit(world.pro, scope="plan", value=1)
    Actor("acme", now, world.pro)
    second = PlanVersion.objects.get(pk=world.pro.pk)
    second.pk, second.number, second.status, second.published_at = None, 2, "draft", None
    second.save()
    world.pro.status, world.pro.retired_at = "retired", now
    world.pro.save()
    second.status, second.published_at = "published", now
    second.save()
    Actor("globex", now, second).spends(1, key="e1")
    (denied,) = checks("acme", at=now)
    assert denied["decision"] == "deny"


def test_a_breaker_published_while_the_gate_runs_acts_from_its_commit_on(world: World, now: datetime) -> None:
    Actor("acme", now, world.pro).spends(1, key="e1")

    def publish() -> None:
        limit(world.pro, scope="plan", value=1)
        connection.close()

    async def story(client: httpx.AsyncClient) -> list[str]:
        body = {"customer": "acme", "feature": "chat", "estimate": {"credits": "1"}}
        first = (await client.post("/v1/check", json=body)).json()["decision"]
        await aside(publish)
        return [first, (await client.post("/v1/check", json=body)).json()["decision"]]

    assert with_gate(story, clock=lambda: now) == ["allow", "deny"]


def test_held_credits_do_not_count_until_they_are_used(world: World, now: datetime) -> None:
    limit(world.pro, scope="plan", unit="credits", value=10 * CREDIT)
    for key in ("acme", "globex"):
        Actor(key, now, world.pro)

    async def story(client: httpx.AsyncClient) -> list[str]:
        held = {"feature": "chat", "estimate": {"credits": "10"}}
        answers = [
            await client.post("/v1/check", json={"customer": key, "hold": {"key": "h"}} | held)
            for key in ("acme", "globex")
        ]
        return [answer.json()["decision"] for answer in answers]

    assert with_gate(story, clock=lambda: now) == ["allow", "allow"]


def test_a_denial_by_a_breaker_replays_with_the_figure_it_was_decided_from(world: World, now: datetime) -> None:
    breaker = limit(world.pro, scope="plan", value=1)
    Actor("acme", now, world.pro).spends(1, key="e1")
    (denied,) = checks("acme", at=now)
    assert Decision.objects.get().account["shared"] == {str(breaker.pk): 1}
    out = StringIO()
    call_command("replay_decision", denied["decision_id"], stdout=out)
    assert "the same inputs give the same answer" in out.getvalue()


def test_usage_through_the_gate_is_seen_within_the_stated_age(
    world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(world.pro, scope="plan", value=1)
    Actor("acme", now, world.pro)
    seconds = [0.0]
    monkeypatch.setattr("entitlements.gate.engine.SharedUsage", lambda: SharedUsage(clock=lambda: seconds[0]))

    async def story(client: httpx.AsyncClient) -> list[str]:
        body = {"customer": "acme", "feature": "chat", "estimate": {"credits": "1"}}
        answers = [await client.post("/v1/check", json=body)]
        await client.post("/v1/usage", json=event())
        for at in (0.0, MAX_AGE_SECONDS):
            seconds[0] = at
            answers.append(await client.post("/v1/check", json=body))
        return [answer.json()["decision"] for answer in answers]

    assert with_gate(story, clock=lambda: now) == ["allow", "allow", "deny"]
