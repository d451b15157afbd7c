"""Accounts under anything that can happen to them, in any order, never part from the plain model.

HYPOTHESIS_PROFILE=deep looks longer.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.account_machine import START, ZONE, Accounts
from tests.properties.database_shelf import DatabaseShelf

settings.register_profile("quick", max_examples=100, stateful_step_count=50)
settings.register_profile("deep", max_examples=5000, stateful_step_count=50)
PROFILE = settings(
    settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


class StoredAccounts(Accounts):
    """The same, with every call loaded from the database and stored there."""

    def new_shelf(self) -> DatabaseShelf:
        return DatabaseShelf(time_zone=ZONE, now=START)

    def teardown(self) -> None:
        self.shelf.clear()


def test_the_core_is_the_model() -> None:
    run_state_machine_as_test(Accounts, settings=PROFILE)


@pytest.mark.slow
@pytest.mark.django_db
def test_the_core_over_the_store_is_the_model() -> None:
    run_state_machine_as_test(StoredAccounts, settings=settings(PROFILE, max_examples=PROFILE.max_examples // 8))
