"""The margin lines: everyone's month from the rollups against a scan of the events and the ledger, and one page."""

import os
import subprocess
import sys
from typing import Final

import msgspec

from bench import database
from bench.jobs import Result, WorkerFailed
from bench.lines import Line, Term
from bench.place import Measure
from kernel.sql_files import ROOT

EVENTS: Final = 1_000
QUICK_EVENTS: Final = 20
"""Of each customer in the month: 10,000 customers have ten million."""

LINES: Final = (
    Line(
        name="margin_month",
        title="scanning events and ledger ÷ every customer's month from rollups, by time",
        top=Term("margin_scan", "p50_ms"),
        bottom=Term("margin_facts", "p50_ms"),
        reach=50,
        aim=200,
    ),
    Line(
        name="margin_report",
        title="scanning events and ledger ÷ the whole report of every customer's margin, by time",
        top=Term("margin_scan", "p50_ms"),
        bottom=Term("margin_report", "p50_ms"),
    ),
    Line(
        name="margin_page",
        title="one customer's margin page, in milliseconds",
        top=Term("margin_page", "p50_ms"),
        bottom=Term("millisecond", "p50_ms"),
        reach=50,
        at_most=True,
    ),
)

_MILLISECOND: Final = Result(per_second=1_000, p50_ms=1, p99_ms=1, right=1, wrong={})
"""What a time is divided by to be shown as one."""


def database_name(prefix: str, customers: int) -> str:
    """The database the margin lines are measured on: made once, in minutes."""
    return f"{prefix}_margins_{customers}"


def measures(prefix: str, customers: int, *, quick: bool, fresh: bool) -> dict[str, Measure]:
    """Everything the lines need, by name; the first one asked for makes the database."""
    of_rounds: dict[int, dict[str, Result]] = {}
    events = QUICK_EVENTS if quick else EVENTS

    def of(round_: int) -> dict[str, Result]:
        if round_ not in of_rounds:
            name = database_name(prefix, customers)
            print(f"preparing {customers * events:,} events of {customers:,} customers ...", flush=True)
            url = database.kept(name, "bench.margin_population", (customers, events), fresh=fresh and not of_rounds)
            of_rounds[round_] = _measured(url)
        return of_rounds[round_]

    def measure(name: str) -> Measure:
        return lambda round_: of(round_)[name]

    found = {name: measure(name) for name in ("margin_scan", "margin_facts", "margin_report", "margin_page")}
    return found | {"millisecond": lambda _: _MILLISECOND}


def _measured(url: str) -> dict[str, Result]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.margin_report"],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "LOG_LEVEL": "WARNING"},
        check=False,
    )
    if done.returncode:
        raise WorkerFailed(f"bench.margin_report ended with {done.returncode}:\n{done.stderr.decode()[-2000:]}")
    return msgspec.json.decode(done.stdout, type=dict[str, Result])
