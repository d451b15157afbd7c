"""The guard through the real gate: a customer driven below the floors is downgraded, then denied, then let go."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import httpx
import pytest
from django.core.management import call_command
from django.db import connection

from entitlements.models import Decision, MarginGuard
from entitlements.store.margins import MAX_AGE_SECONDS, MarginFigures
from margins.guard.figures import refresh_due
from tests.gate import aside, with_gate
from tests.margins.guard.shop import HALF_WAY, costs, guard, joins, open_shop
from tests.world import Actor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme() -> Actor:
    open_shop()
    return joins()


BODY = {"customer": "acme", "feature": "chat", "model": "gpt-4o", "estimate": {"input_tokens": 1000}}


def check(at: datetime = HALF_WAY, **parts: Any) -> dict[str, Any]:
    async def story(client: httpx.AsyncClient) -> dict[str, Any]:
        body = {name: value for name, value in (BODY | parts).items() if value is not None}
        answer: dict[str, Any] = (await client.post("/v1/check", json=body)).json()
        return answer

    return with_gate(story, clock=lambda: at)


def said(answer: dict[str, Any]) -> tuple[str, str, str]:
    return answer["decision"], answer["reason"], answer["model"]


def change(what: Callable[[], object]) -> None:
    """Do something on another thread's connection, and let the worker look."""
    what()
    refresh_due(HALF_WAY)
    connection.close()


def warned(answer: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in answer["warnings"]]


def test_a_customer_driven_below_the_floors_is_downgraded_then_denied(acme: Actor) -> None:
    """Half-way of 100 USD: a cost of 20 is projected to 40, of 30 to 60, of 45 to 90."""
    guard("downgrade", "0.5")
    guard("deny", "0.2")
    costs(acme, 20, "e1")
    assert said(check()) == ("allow", "entitled", "gpt-4o")
    costs(acme, 10, "e2")
    lower = check()
    assert said(lower) == ("downgrade", "margin_guard", "gpt-4o-mini")
    assert lower["limiting"] == {
        "limit": "margin_guard",
        "scope": "plan",
        "unit": "margin",
        "used": "0.4",
        "value": "0.5",
        "resets_at": "2026-12-01T00:00:00Z",
        "run": None,
    }
    costs(acme, 15, "e3")
    denied = check()
    assert said(denied) == ("deny", "margin_guard", "gpt-4o")
    assert (denied["limiting"]["used"], denied["limiting"]["value"]) == ("0.1", "0.2")


def test_the_way_down_is_the_plans_chain_from_the_asked_model_on(acme: Actor) -> None:
    guard("downgrade", "0.5")
    costs(acme, 30, "e1")
    assert said(check(model="gpt-4.1")) == ("downgrade", "margin_guard", "gpt-4o-mini")
    lowest = check(model="gpt-4o-mini")
    assert said(lowest) == ("allow", "entitled", "gpt-4o-mini")
    assert warned(lowest) == ["margin_guard"]


def test_a_warning_lets_everything_pass(acme: Actor) -> None:
    guard("warn", "0.9")
    costs(acme, 20, "e1")
    answer = check()
    assert (said(answer), warned(answer)) == (("allow", "entitled", "gpt-4o"), ["margin_guard"])


def test_the_balance_says_no_first(acme: Actor) -> None:
    guard("deny", "0.9")
    costs(acme, 20, "e1")
    assert check(estimate={"credits": "10001"})["reason"] == "insufficient_credits"
    assert check(feature="chat")["reason"] == "margin_guard"
    assert check(feature="export", model=None, estimate=None)["decision"] == "allow"


def test_a_stale_figure_is_told_and_does_not_block(acme: Actor) -> None:
    guard("deny", "0.9")
    costs(acme, 20, "e1")
    assert check(HALF_WAY + timedelta(seconds=60))["reason"] == "margin_guard"
    late = HALF_WAY + timedelta(seconds=61)
    answer = check(late, hold={"key": "h1"})
    assert (answer["decision"], warned(answer)) == ("allow", ["margin_figure_stale"])
    record = Decision.objects.get(decision="allow")
    assert record.account["margin"]["computed_at"] == "2026-11-16T00:00:00Z"
    assert record.answer["answer"]["warnings"][0]["code"] == "margin_figure_stale"
    refresh_due(late)
    assert check(late)["reason"] == "margin_guard", "below a floor it is kept fresh without usage"


def test_unless_the_guard_trusts_it(acme: Actor) -> None:
    guard("deny", "0.9", trusts_stale=True)
    costs(acme, 20, "e1")
    assert check(HALF_WAY + timedelta(days=1))["reason"] == "margin_guard"


def test_a_customers_own_guard_takes_the_place_of_the_plans(acme: Actor) -> None:
    guard("deny", "0.9")
    guard("warn", "0.8", customer="acme")
    costs(acme, 20, "e1")
    assert warned(check()) == ["margin_guard"]


def test_a_guard_set_or_ended_acts_from_its_commit_on(acme: Actor) -> None:
    costs(acme, 20, "e1")

    async def story(client: httpx.AsyncClient) -> list[str]:
        answers = [await client.post("/v1/check", json=BODY)]
        await aside(change, lambda: guard("deny", "0.9"))
        answers.append(await client.post("/v1/check", json=BODY))
        await aside(change, lambda: MarginGuard.objects.update(ends_at=HALF_WAY))
        answers.append(await client.post("/v1/check", json=BODY))
        return [answer.json()["decision"] for answer in answers]

    assert with_gate(story, clock=lambda: HALF_WAY) == ["allow", "deny", "allow"]


def test_a_figure_is_seen_within_the_stated_age(acme: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    guard("deny", "0.5")
    costs(acme, 20, "e1")
    seconds = [0.0]
    monkeypatch.setattr("entitlements.gate.engine.MarginFigures", lambda: MarginFigures(clock=lambda: seconds[0]))

    async def story(client: httpx.AsyncClient) -> list[str]:
        answers = [await client.post("/v1/check", json=BODY)]
        await aside(change, lambda: costs(acme, 20, "e2"))
        for at in (0.0, MAX_AGE_SECONDS):
            seconds[0] = at
            answers.append(await client.post("/v1/check", json=BODY))
        return [answer.json()["decision"] for answer in answers]

    assert with_gate(story, clock=lambda: HALF_WAY) == ["allow", "allow", "deny"]


def test_a_denial_replays_with_the_figure_it_was_decided_from(acme: Actor) -> None:
    guard("deny", "0.9")
    costs(acme, 20, "e1")
    denied = check()
    assert Decision.objects.get().account["margin"]["ratio_micro"] == 600_000
    MarginGuard.objects.update(ends_at=HALF_WAY)
    out = StringIO()
    call_command("replay_decision", denied["decision_id"], stdout=out)
    assert "the same inputs give the same answer" in out.getvalue()


def test_a_new_period_starts_without_a_figure(acme: Actor) -> None:
    guard("deny", "0.9", trusts_stale=True)
    costs(acme, 20, "e1")
    assert check(datetime.fromisoformat("2026-12-01T00:00:00Z"))["decision"] == "allow"


class Database:
    """Counts what it is asked and answers that there are guards, or none."""

    def __init__(self, guarded: bool) -> None:
        self.guarded, self.asked = guarded, 0

    async def ask(self, _: object) -> list[tuple[bool, str]]:
        self.asked += 1
        return [(self.guarded, "{}")]


@pytest.mark.parametrize(("guarded", "asked"), [(False, 2), (True, 4)])
def test_without_guards_the_database_is_asked_once_a_revision(guarded: bool, asked: int) -> None:
    seconds = [0.0]
    figures, database = MarginFigures(clock=lambda: seconds[0]), Database(guarded)

    async def story() -> None:
        for second, revision in ((0, 1), (2, 1), (3, 1), (6, 1), (6, 2)):
            seconds[0] = second
            await figures.of(revision, HALF_WAY, database)

    asyncio.run(story())
    assert database.asked == asked
