"""The whole suite runs on a real PostgreSQL: the one DATABASE_URL names, else the embedded one."""

import operator
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("deep", max_examples=5000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
"""The suite draws the same examples each time; HYPOTHESIS_PROFILE=deep draws others, and more of them."""

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
"""Recorded data and conformance cases, beside the project where they are to be had."""


def needs_shared(*parts: str) -> Path:
    """A file of the recorded data; skips the test, visibly, where there is none."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{'/'.join(parts)} is not here: recorded data is not part of a clone")
    return path


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> None:
    """Tests that commit are undone by TRUNCATE, which the ledger refuses: here, and only here, it may."""
    from django.db import connection

    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_is_not_truncated")


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Rolled-back revisions must not be found in the process's memory by the next test."""
    yield
    for name, forget in (
        ("entitlements.store.reference", "django_reference.forget"),
        ("access.key_cache", "forget"),
        ("access.last_used", "forget"),
    ):
        if name in sys.modules:
            operator.attrgetter(forget)(sys.modules[name])()


@pytest.fixture
def now() -> datetime:
    """An ordinary instant, in the middle of a month."""
    return datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
