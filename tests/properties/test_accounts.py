"""Accounts under anything that can happen to them, in any order, never part from the plain model.

HYPOTHESIS_PROFILE=deep looks longer.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.account_machine import START, ZONE, Accounts
from tests.properties.database_shelf import DatabaseShelf
from tests.shop import CREDIT

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
PROFILE = settings(
    max_examples=5000 if DEEP else 100,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
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


def test_grants_that_start_at_one_instant_pay_debt_in_burn_order() -> None:
    state = Accounts()
    state.begins(plan=0, credits=0, in_a_run=False)
    state.unsubscribes(really=0)
    state.is_granted(credits=CREDIT, priority=100, starts=60, lasts=None)
    state.is_granted(credits=CREDIT, priority=20, starts=60, lasts=None)
    item = {"key": "event-1", "feature": "chat", "model": "", "user_key": "", "run": None, "late": 0}
    state.uses([item | {"used": CREDIT}])
    state.time_comes_to_where_something_is_due(ticks=0, somebody_looks=False)
    state.the_core_and_the_model_agree()
    assert [grant.left for grant in state.plain.grants[-2:]] == [CREDIT, 0]
