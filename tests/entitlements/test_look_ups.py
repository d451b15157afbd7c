"""Even planned while its tables are empty, a batch's look-up reads by whole keys, never a customer's history."""

import re
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from entitlements.gate import connections
from kernel.sql_files import sql_file
from tests.gate import test_dsn

HISTORY = ("usage_event", "usage_tombstone", "hold", "decision", "limit_counter", "run", "credit_grant")
"""Tables that grow with use."""


def plan_of(name: str, wanted: str) -> str:
    """The generic plan of a statement of the gate's, in a session like its own."""
    statement = sql_file("entitlements", name)
    statement = statement.replace("%(wanted)s", "$1").replace("%(now)s", "$2")
    with psycopg.connect(test_dsn(), options=connections._OPTIONS) as session:
        session.execute(f"PREPARE look_up (json, timestamptz) AS {statement}")  # type: ignore[arg-type]
        rows: list[Any] = session.execute(f"EXPLAIN EXECUTE look_up ('{wanted}', now())").fetchall()  # type: ignore[arg-type]
    return "\n".join(line for (line,) in rows)


@pytest.mark.django_db(transaction=True)
def test_belongings_are_looked_up_by_whole_keys() -> None:
    plan = plan_of("belongings", "[]").split("\n")
    scans = {table: [] for table in HISTORY}  # type: dict[str, list[str]]
    for line, following in pairwise(plan):
        found = re.search(r"->  ([\w ]+ Scan)(?: using (\w+))? on (\w+)", line)
        if found and found[3] in scans:
            scans[found[3]].append(f"{found[1]} {following.strip()}")
    assert all(scans.values())
    for table, these in scans.items():
        for scan in these:
            assert re.search(r"Index (Only )?Scan .*customer_id = ", scan), (table, scan)
    # Where a key is asked for, it narrows the index and does not filter what the customer alone would find.
    filters = [line.strip() for line in plan if "Filter:" in line]
    assert set(filters) <= {"Filter: due", "Filter: whole", "Filter: (run_id IS NOT NULL)"} | _of_small_tables(filters)


def _of_small_tables(filters: list[str]) -> set[str]:
    """Entitlements of a customer's own are few."""
    return {line for line in filters if "starts_at" in line or "max_tier_id" in line or "wanted" in line}
