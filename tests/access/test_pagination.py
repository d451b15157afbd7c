from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from access.models import ApiKey
from tests.access.conftest import NOON
from tests.access.test_problems import problem

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls")]

Make = Callable[..., Client]


def add_key(name: str, minutes: int) -> None:
    at = NOON - timedelta(minutes=minutes)
    ApiKey.objects.create(name=name, prefix=name, digest=name.encode() * 4, scopes=["read"], created_at=at)


def walk(client: Client, limit: int) -> list[list[str]]:
    pages, url = [], f"/v1/keys?limit={limit}"
    while url:
        page = client.get(url).json()
        pages.append([row["prefix"] for row in page["data"]])
        url = page["next"]
    return pages


def test_pages_cover_everything_once_in_order_even_where_instants_tie(client_with: Make) -> None:
    client = client_with("read")
    own = ApiKey.objects.get().prefix
    for number in range(7):
        add_key(f"k{number}", minutes=1 + number // 3)
    assert walk(client, 3) == [[own, "k0", "k1"], ["k2", "k3", "k4"], ["k5", "k6"]]


def test_a_full_last_page_has_no_next(client_with: Make) -> None:
    client = client_with("read")
    add_key("k0", 1)
    assert len(walk(client, 2)) == 1


def test_rows_written_meanwhile_neither_repeat_nor_hide_others(client_with: Make) -> None:
    client = client_with("read")
    for number in range(3):
        add_key(f"k{number}", minutes=1 + number)
    first = client.get("/v1/keys?limit=2").json()
    add_key("new", minutes=-5)
    second = client.get(first["next"]).json()
    assert [row["prefix"] for row in second["data"]] == ["k1", "k2"]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "ten", "1.5", "", "²", "9" * 30])
def test_a_limit_out_of_range_is_refused(client_with: Make, limit: str) -> None:
    assert problem(client_with("read").get("/v1/keys", {"limit": limit}))["field"] == "limit"


@pytest.mark.parametrize(
    "cursor",
    ["x", "!!!", "bnVsbA", "W10", "WyJhIl0", "WyJhIiwgImIiXQ", "eyJhIjoxfQ", "W251bGwsbnVsbF0", "ÿ", "\0", "A" * 999],
)
def test_a_made_up_cursor_is_refused(client_with: Make, cursor: str) -> None:
    assert problem(client_with("read").get("/v1/keys", {"cursor": cursor}))["field"] == "cursor"


def test_unknown_parameters_beside_the_paging_ones_are_refused(client_with: Make) -> None:
    answer: dict[str, Any] = problem(client_with("read").get("/v1/keys?limit=1&page=2"))
    assert answer["field"] == "page"
