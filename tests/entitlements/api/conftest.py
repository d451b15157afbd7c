from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from access import key_cache, last_used
from access.services.api_keys import create_key
from tests.live import live_gate, live_key
from tests.world import Actor, World

__all__ = ["live_gate", "live_key"]

PROBLEM = "application/problem+json"


class Api:
    """A caller of the API: paths are relative to /v1, bodies are JSON in and out."""

    def __init__(self, *scopes: str) -> None:
        _, token = create_key("test", scopes, datetime.fromisoformat("2026-11-01T00:00:00Z"))
        self._client = Client(headers={"authorization": f"Bearer {token}"})

    def get(self, path: str, **query: Any) -> Any:
        return self._client.get(_url(path), query)

    def put(self, path: str, body: Any) -> Any:
        return self._client.put(_url(path), body, content_type="application/json")

    def post(self, path: str, body: Any) -> Any:
        return self._client.post(_url(path), body, content_type="application/json")

    def delete(self, path: str) -> Any:
        return self._client.delete(_url(path))


def _url(path: str) -> str:
    return path if "://" in path else f"/v1{path}"


def refused(response: HttpResponse, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """The problem's body, once it is certain that the response is this refusal."""
    assert response["Content-Type"] == PROBLEM, response.content[:300]
    body: dict[str, Any] = response.json()  # type: ignore[attr-defined]
    assert (response.status_code, body["code"], body.get("field")) == (status, code, field), body
    return body


@pytest.fixture(autouse=True)
def _no_keys_remembered() -> Iterator[None]:
    """A test's rollback takes the revision back, so the keys cached under it must go too."""
    yield
    key_cache.forget()
    last_used.forget()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Callable[[datetime], None]:
    """The edge's clock stands at `now`; calling the fixture's value moves it."""

    def move(instant: datetime) -> None:
        monkeypatch.setattr("entitlements.api.base.utc_now", lambda: instant)

    move(now)
    return move


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def acme(world: World, now: datetime, clock: object) -> Actor:
    """A customer on the pro plan: 100 credits a month, chat up to economy."""
    return Actor("acme", now, world.pro)


@pytest.fixture
def api(db: None, clock: object) -> Api:
    """A caller with every scope."""
    return Api("admin")
