from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from margins.models import Simulation, SimulationRow
from margins.services.simulations import ask, run
from margins.simulation.scenario import Scenario
from tests.world import World

NOVEMBER = {"starts_on": date(2026, 11, 1), "ends_on": date(2026, 12, 1)}
LATER = datetime.fromisoformat("2026-12-15T00:00:00+00:00")

Simulate = Callable[..., Simulation]


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def simulate(db: None) -> Simulate:
    """Ask and answer at once: November of 2026 unless told, as of the middle of December."""

    def simulate(*, now: datetime = LATER, **scenario: Any) -> Simulation:
        made = ask(Scenario(**(NOVEMBER | scenario)), name="what if", author="ann", now=now)
        done = run(made.pk, lambda: now)
        assert done is not None
        assert (done.state, done.problem) == ("done", "")
        return done

    return simulate


def row(simulation: Simulation, key: str = "acme") -> SimulationRow:
    return simulation.rows.get(customer_key=key)
