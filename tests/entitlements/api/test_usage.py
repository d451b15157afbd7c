"""What a customer used: events and their sums."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from kernel.usage import Usage
from tests import accounts
from tests.entitlements.api.conftest import Api, refused
from tests.world import Actor, World

pytestmark = pytest.mark.django_db

PATH = "/customers/acme/usage"


def chat(key: str, at: datetime, **parts: Any) -> Any:
    return accounts.fact(key, at=at, **parts)


@pytest.fixture
def used(acme: Actor, now: datetime) -> Actor:
    """Four chats: two today by ann, one yesterday by bob on an unknown model, one long ago by nobody."""
    acme.uses(
        chat("today-1", now, user_key="ann", tags={"screen": "editor"}),
        chat("today-2", now, user_key="ann"),
        chat("yesterday", now - timedelta(days=1), user_key="bob", model="mystery-9"),
        chat("long-ago", now - timedelta(days=20)),
    )
    return acme


def keys(response: Any) -> list[str]:
    return [event["key"] for event in response.json()["data"]]


def sums(response: Any, *names: str) -> dict[Any, tuple[Any, ...]]:
    return {row["group"]: tuple(row[name] for name in names) for row in response.json()["data"]}


def test_an_event_shows_what_happened_its_charge_and_its_cost(api: Api, used: Actor) -> None:
    event = next(event for event in api.get(PATH).json()["data"] if event["key"] == "today-1")
    assert event["occurred_at"] == event["received_at"] == "2026-11-15T12:00:00Z"
    assert (event["feature"], event["user"], event["model"], event["tags"]) == (
        "chat",
        "ann",
        "gpt-4o-mini",
        {"screen": "editor"},
    )
    assert event["usage"] == {"input_tokens": 1000, "output_tokens": 100}
    assert event["credits"] == "0.14"
    assert event["cost_usd"] is not None


def test_what_has_no_price_is_null_not_zero(api: Api, used: Actor) -> None:
    event = next(event for event in api.get(PATH).json()["data"] if event["key"] == "yesterday")
    assert (event["model"], event["credits"], event["cost_usd"]) == ("mystery-9", None, None)


def test_events_are_newest_first_in_pages(api: Api, used: Actor) -> None:
    first = api.get(PATH, limit=3)
    assert set(keys(first)[:2]) == {"today-1", "today-2"}
    assert keys(first)[2] == "yesterday"
    assert keys(api.get(first.json()["next"])) == ["long-ago"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"from": "2026-11-15"}, {"today-1", "today-2"}),
        ({"to": "2026-11-14T12:00:00Z"}, {"long-ago"}),
        ({"from": "2026-11-14T12:00:00Z", "to": "2026-11-15T12:00:00Z"}, {"yesterday"}),
        ({"user": "ann"}, {"today-1", "today-2"}),
        ({"model": "mystery-9"}, {"yesterday"}),
        ({"feature": "chat", "user": "bob"}, {"yesterday"}),
        ({"feature": "export"}, set()),
    ],
)
def test_events_are_found_by_time_and_by_what_they_name(
    api: Api, used: Actor, query: dict[str, str], found: set[str]
) -> None:
    assert set(keys(api.get(PATH, **query))) == found


def test_sums_by_day_are_of_the_utc_day(api: Api, used: Actor) -> None:
    response = api.get(PATH, group_by="day")
    assert sums(response, "calls", "unpriced_calls", "input_tokens") == {
        "2026-10-26": (1, 0, 1000),
        "2026-11-14": (1, 1, 1000),
        "2026-11-15": (2, 0, 2000),
    }
    assert [row["group"] for row in response.json()["data"]] == ["2026-10-26", "2026-11-14", "2026-11-15"]


def test_sums_by_user_model_and_feature(api: Api, used: Actor) -> None:
    assert sums(api.get(PATH, group_by="user"), "calls", "credits") == {
        None: (1, "0.14"),
        "ann": (2, "0.28"),
        "bob": (1, "0"),
    }
    assert sums(api.get(PATH, group_by="model"), "calls") == {"gpt-4o-mini": (3,), "mystery-9": (1,)}
    assert sums(api.get(PATH, group_by="feature"), "calls", "unrated_calls") == {"chat": (4, 1)}


def test_sums_obey_the_filters_and_come_in_pages(api: Api, used: Actor) -> None:
    query = {"group_by": "user", "from": "2026-11-14", "to": "2026-11-15"}
    assert sums(api.get(PATH, **query), "calls") == {"bob": (1,)}
    first = api.get(PATH, group_by="user", limit=2).json()
    assert [row["group"] for row in first["data"]] == [None, "ann"]
    assert [row["group"] for row in api.get(first["next"]).json()["data"]] == ["bob"]


def test_a_sum_says_everything_that_is_added_up(api: Api, acme: Actor, now: datetime) -> None:
    usage = Usage(input_tokens=900, cache_read_tokens=400, output_tokens=70, reasoning_tokens=50)
    acme.uses(chat("e1", now, usage=usage))
    (row,) = api.get(PATH, group_by="day").json()["data"]
    cost = row.pop("cost_usd")
    assert row == {
        "group": "2026-11-15",
        "credits": "0.118",
        "calls": 1,
        "memoised_calls": 0,
        "unpriced_calls": 0,
        "unrated_calls": 0,
        "input_tokens": 900,
        "cache_read_tokens": 400,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
        "output_tokens": 70,
        "reasoning_tokens": 50,
    }
    assert cost == api.get(PATH).json()["data"][0]["cost_usd"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-13-01"}, "from"),
        ({"to": "2026-11-15T12:00:00"}, "to"),
        ({"to": "9999-01-01"}, "to"),
        ({"group_by": "hour"}, "group_by"),
        ({"group_by": "day", "from": "2026-11-15T12:00:00Z"}, "from"),
        ({"group_by": "day", "to": "2026-11-15T12:00:00Z"}, "to"),
        ({"feature": "nothing"}, "feature"),
        ({"feature": "\0"}, "feature"),
        ({"model": "\0"}, "model"),
        ({"user": ""}, "user"),
        ({"groupby": "day"}, "groupby"),
        ({"limit": "1000"}, "limit"),
        ({"group_by": "user", "cursor": "WzFd"}, None),
        ({"group_by": "day", "cursor": "WyJ4Il0"}, "cursor"),
    ],
)
def test_a_bad_question_is_refused_by_name(api: Api, used: Actor, query: dict[str, str], field: str | None) -> None:
    response = api.get(PATH, **query)
    if field is None:
        assert response.status_code == 200
    else:
        refused(response, 422, "invalid_input", field)


def test_the_number_of_queries_does_not_grow_with_the_page(
    api: Api, world: World, used: Actor, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(8):
        assert len(keys(api.get(PATH))) == 4
