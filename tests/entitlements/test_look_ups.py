"""A batch's look-up reads by whole keys, never a customer's history, even when it was planned on empty tables."""

import re
from itertools import pairwise

import psycopg
import pytest

from entitlements.gate import connections
from kernel.clock import utc_now
from kernel.sql_files import sql_file
from tests.accounts import fact
from tests.gate import test_dsn
from tests.world import Actor, World

HISTORY = ("usage_event", "usage_tombstone", "hold", "decision", "limit_counter", "run", "credit_grant")
"""Tables that grow with use."""

_SCAN = re.compile(r"->  (?P<how>[\w ]+ Scan)(?: using \w+)? on (?P<table>\w+)")


def plan_of(name: str) -> list[str]:
    """The generic plan of one of the gate's look-ups, in a session like its own."""
    statement = sql_file("entitlements", name).replace("%(wanted)s", "$1").replace("%(now)s", "$2")
    with psycopg.connect(test_dsn(), options=connections._OPTIONS) as session:
        session.execute(f"PREPARE look_up (json, timestamptz) AS {statement}")  # type: ignore[arg-type]
        return [line for (line,) in session.execute("EXPLAIN EXECUTE look_up ('[]', now())")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "tables"),
    [("belongings", HISTORY), ("belongings_of_callers", tuple(table for table in HISTORY if table != "run"))],
)
def test_no_table_that_grows_is_read_whole(name: str, tables: tuple[str, ...]) -> None:
    scans: dict[str, list[str]] = {table: [] for table in tables}
    for line, following in pairwise(plan_of(name)):
        found = _SCAN.search(line)
        if found and found["table"] in scans:
            scans[found["table"]].append(f"{found['how']}: {following.strip()}")
    assert all(scans.values()), "a table is not looked up at all"
    for table, these in scans.items():
        for scan in these:
            assert re.match(r"(Index( Only)?|Bitmap Heap) Scan: (Index|Recheck) Cond: .*customer_id = ", scan), (
                table,
                scan,
            )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["belongings", "belongings_of_callers"])
def test_a_key_narrows_the_index_and_does_not_filter_what_the_customer_alone_would_find(name: str) -> None:
    acme = Actor("acme", utc_now(), World().pro)
    acme.uses(*(fact(f"event-{number}", at=utc_now()) for number in range(200)), now=utc_now())
    with psycopg.connect(test_dsn(), autocommit=True) as staff:
        staff.execute("ANALYZE usage_event")
    filters = [line.strip() for line in plan_of(name) if "Filter: " in line]
    assert filters
    assert not [
        line
        for line in filters
        if re.search(r"(key_digest|\bid\b) = ", line) and not re.search("tombstone|max_tier_id", line)
    ]
