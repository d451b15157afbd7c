"""A run is shown as a tree with every call made in it, and its sums are those of its calls."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from entitlements.queries import runs as runs_queries
from kernel.clock import format_instant
from kernel.usage import Usage
from tests import accounts
from tests.entitlements.api.conftest import Api, refused
from tests.entitlements.api.gate_stories import Teller, told
from tests.world import Actor, World

pytestmark = pytest.mark.django_db(transaction=True)

SMALL = {"model": "gpt-4o-mini", "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}}


async def an_agent(tells: Teller) -> dict[str, str]:
    """An outer run with a call of its own; two runs inside it, one of them with another inside."""
    ids = {
        "outer": await tells.opens(
            "outer", user="ann", budget={"credits": "50", "steps": 20, "depth": 2, "seconds": 600}
        )
    }
    for key, parent in (("left", "outer"), ("right", "outer"), ("deep", "left")):
        ids[key] = await tells.opens(key, parent=parent)
    await tells.uses("plan", "3", run="outer")
    await tells.settles(await tells.holds("h1", run="left"), "2.5", key="search")
    await tells.uses("read", "0.000001", run="deep")
    await tells.settles(await tells.holds("h2", run="deep"), "4", key="part-1", final=False)
    await tells.uses("elsewhere", "7")
    return ids


def every(level: dict[str, Any]) -> list[dict[str, Any]]:
    return [level, *(inner for each in level["inside"] for inner in every(each))]


def test_the_tree_shows_each_level_with_its_budget_and_what_it_took(api: Api, acme: Actor, now: datetime) -> None:
    ids = told(now, an_agent)
    shown = api.get(f"/runs/{ids['outer']}").json()
    outer = shown["run"]
    inside = outer.pop("inside")
    assert outer == {
        "id": ids["outer"],
        "key": "outer",
        "parent_id": None,
        "depth": 0,
        "status": "open",
        "user": "ann",
        "budget": {
            "steps": 20,
            "credits": "50",
            "cost_usd": None,
            "depth": 2,
            "deadline": format_instant(now + timedelta(seconds=600)),
        },
        "steps": 3,
        "held_steps": 1,
        "credits": "9.500001",
        "held": "6",
        "cost_usd": "0",
        "opened_at": format_instant(now),
        "closed_at": None,
    }
    assert {(level["key"], level["depth"], level["parent_id"]) for level in inside} == {
        ("left", 1, ids["outer"]),
        ("right", 1, ids["outer"]),
    }
    assert shown["more_runs"] is False


def test_what_a_child_spends_counts_in_every_run_around_it_and_the_calls_add_up_to_it(
    api: Api, acme: Actor, now: datetime
) -> None:
    ids = told(now, an_agent)
    shown = api.get(f"/runs/{ids['outer']}").json()
    assert {call["key"]: (call["run"], call["credits"]) for call in shown["calls"]["data"]} == {
        "plan": ("outer", "3"),
        "search": ("left", "2.5"),
        "read": ("deep", "0.000001"),
        "part-1": ("deep", "4"),
    }
    for level in every(shown["run"]):
        below = {each["key"] for each in every(level)}
        own = [call for call in shown["calls"]["data"] if call["run"] in below]
        assert Decimal(level["credits"]) == sum(Decimal(call["credits"]) for call in own), level["key"]


def test_a_tree_from_the_middle_shows_only_what_is_inside(api: Api, acme: Actor, now: datetime) -> None:
    ids = told(now, an_agent)
    shown = api.get(f"/runs/{ids['left']}").json()
    assert [level["key"] for level in every(shown["run"])] == ["left", "deep"]
    assert {call["run"] for call in shown["calls"]["data"]} == {"left", "deep"}
    assert shown["run"]["credits"] == "6.500001"


def test_calls_come_in_time_order_in_pages_with_model_tokens_and_cost(api: Api, acme: Actor, now: datetime) -> None:
    run_id = told(now, lambda tells: tells.opens("agent"))
    for number in (3, 1, 2):
        at = now + timedelta(seconds=number)
        acme.uses(accounts.fact(f"c{number}", at=at, run_key="agent", usage=Usage(input_tokens=1000)), now=at)
    first = api.get(f"/runs/{run_id}", limit=2).json()
    second = api.get(first["calls"]["next"]).json()
    assert [call["key"] for call in first["calls"]["data"]] == ["c1", "c2"]
    assert [call["key"] for call in second["calls"]["data"]] == ["c3"]
    assert second["calls"]["next"] is None
    assert second["run"] == first["run"]
    call = first["calls"]["data"][0]
    assert (call["feature"], call["model"], call["usage"]) == ("chat", "gpt-4o-mini", {"input_tokens": 1000})
    assert (call["credits"], Decimal(call["cost_usd"]) * 3) == ("0.1", Decimal(first["run"]["cost_usd"]))


def test_a_closed_run_stays_readable_with_what_it_held_given_back(api: Api, acme: Actor, now: datetime) -> None:
    async def story(tells: Teller) -> str:
        ids = await an_agent(tells)
        await tells.post(f"/v1/runs/{ids['outer']}/close")
        return ids["outer"]

    shown = api.get(f"/runs/{told(now, story)}").json()["run"]
    assert {(level["status"], level["held"], level["held_steps"]) for level in every(shown)} == {("closed", "0", 0)}
    assert shown["closed_at"] == format_instant(now)


def test_a_hold_that_has_expired_is_not_held_in_its_runs(api: Api, acme: Actor, now: datetime, clock: Any) -> None:
    ids = told(now, an_agent)
    clock(now + timedelta(seconds=60))
    shown = api.get(f"/runs/{ids['outer']}").json()["run"]
    assert {(level["held"], level["held_steps"]) for level in every(shown)} == {("0", 0)}


def test_a_tree_too_large_to_show_says_so(
    api: Api, acme: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = told(now, an_agent)
    monkeypatch.setattr(runs_queries, "MOST_RUNS", 3)
    shown = api.get(f"/runs/{ids['outer']}").json()
    assert {level["key"] for level in every(shown["run"])} == {"outer", "left", "right"}
    assert shown["more_runs"] is True
    assert shown["run"]["credits"] == "9.500001", "what is not shown is counted"


def test_a_customers_runs_are_listed_newest_first(api: Api, acme: Actor, now: datetime) -> None:
    told(now, an_agent)
    later = now + timedelta(minutes=1)

    async def story(tells: Teller) -> None:
        await tells.post(f"/v1/runs/{await tells.opens('next')}/close")

    told(later, story)
    listed = api.get("/customers/acme/runs").json()["data"]
    assert listed[0]["key"] == "next"
    assert {run["key"] for run in listed} == {"next", "outer", "left", "right", "deep"}
    assert [run["key"] for run in api.get("/customers/acme/runs", status="closed").json()["data"]] == ["next"]
    assert [run["key"] for run in api.get("/customers/acme/runs", key="deep").json()["data"]] == ["deep"]
    assert api.get("/customers/acme/runs", key="nope").json()["data"] == []
    first = api.get("/customers/acme/runs", limit=3).json()
    assert len(first["data"]) + len(api.get(first["next"]).json()["data"]) == 5


def test_another_customers_run_of_the_same_key_is_another_run(
    api: Api, acme: Actor, world: World, now: datetime
) -> None:
    ids = told(now, an_agent)
    globex = Actor("globex", now, world.pro)
    globex.uses(accounts.fact("theirs", at=now, run_key="outer"))
    assert "theirs" not in {call["key"] for call in api.get(f"/runs/{ids['outer']}").json()["calls"]["data"]}
    refused(api.get(f"/runs/{ids['outer'].replace(f'_{acme.row.pk:x}_', f'_{globex.row.pk:x}_')}"), 404, "run_unknown")


@pytest.mark.parametrize("run_id", ["nonsense", "run_1", "run_ffffff_" + "0" * 32, "hold_1_" + "0" * 32, "run_1_xyz"])
def test_made_up_runs_are_not_found(api: Api, acme: Actor, run_id: str) -> None:
    refused(api.get(f"/runs/{run_id}"), 404, "run_unknown")


def test_reading_runs_needs_the_read_scope(acme: Actor, clock: object, now: datetime) -> None:
    run_id = told(now, lambda tells: tells.opens("agent"))
    for path in (f"/runs/{run_id}", "/customers/acme/runs"):
        refused(Api("check", "usage").get(path), 403, "scope_missing")
        assert Api("read").get(path).status_code == 200
