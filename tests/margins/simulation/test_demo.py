"""The demo company's past, with its overage, debt, top-ups and changes of plan, simulated as it was."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from kernel.clock import utc_now
from margins.services.simulations import ask, run
from margins.simulation.scenario import Scenario


@pytest.mark.django_db
def test_the_demo_company_comes_out_as_it_was(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path
    call_command("seed_demo", customers=12, days=10, events=600)
    now = utc_now()
    days = {"starts_on": now.date() - timedelta(days=6), "ends_on": now.date() + timedelta(days=1)}
    asked = ask(Scenario(**days, limits="observe"), name="as it was", author="", now=now)
    done = run(asked.pk, lambda: now)
    assert done is not None
    rows = list(done.rows.all())
    assert len(rows) == 12
    assert sum(row.calls for row in rows) > 200
    for row in rows:
        assert (row.customer_key, row.microcredits, row.cost_nanousd, row.calls) == (
            row.customer_key, row.real_microcredits, row.real_cost_nanousd, row.real_calls,
        )  # fmt: skip
        # What was reported hours late, across a renewal, burned other credits than it would have in time: of revenue
        # only what does not hang on that is the same to the last unit.
        assert row.details["revenue"]["subscription"] == row.details["real_revenue"].get("subscription", 0)
