from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from access import key_cache, last_used
from access.services.api_keys import create_key
from tests.margins.books import NOVEMBER

MID_DECEMBER = datetime.fromisoformat("2026-12-15T12:00:00Z")


@pytest.fixture(autouse=True)
def _no_keys_remembered() -> Iterator[None]:
    """A test's rollback takes the revision back, so the keys cached under it must go too."""
    yield
    key_cache.forget()
    last_used.forget()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """The edge's clock stands in the middle of December; calling the fixture's value moves it."""

    def move(instant: datetime) -> None:
        for edge in (
            "margins.api.views",
            "margins.api.revenue",
            "entitlements.api.base",
            "margins.pages.request",
            "margins.api.insights.base",
        ):
            monkeypatch.setattr(f"{edge}.utc_now", lambda: instant)

    move(MID_DECEMBER)
    return move


@pytest.fixture
def api(db: None, clock: object) -> Callable[..., Any]:
    """GET a path under /v1 as a caller with the read scope."""
    _, token = create_key("reader", ("read",), NOVEMBER)
    client = Client(headers={"authorization": f"Bearer {token}"})

    def get(path: str, **query: Any) -> Any:
        return client.get(path if "://" in path else f"/v1{path}", query)

    return get


@pytest.fixture
def staff(db: None, clock: object) -> Client:
    """A signed-in member of staff."""
    user = get_user_model().objects.create_user(
        "finance", password="not-a-secret-here", is_staff=True, is_superuser=True
    )
    client = Client()
    client.force_login(user)
    return client
