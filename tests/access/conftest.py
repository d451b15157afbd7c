from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.test import Client

from access import key_cache, last_used
from access.services.api_keys import create_key

NOON = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_cached() -> Iterator[None]:
    """A test's rollback takes the revision back, so what was cached under it must go too."""
    yield
    key_cache.forget()
    last_used.forget()


@pytest.fixture
def client_with(db: None) -> Callable[..., Client]:
    """A test client whose requests carry a fresh key with the given scopes."""

    def make(*scopes: str, name: str = "backend") -> Client:
        _, token = create_key(name, scopes, NOON)
        return Client(headers={"authorization": f"Bearer {token}"})

    return make
