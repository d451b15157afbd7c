"""Measures margin reports on the database DATABASE_URL names, in a process of its own: `python -m bench.margin_report`.

Prints the results by measure as JSON. The rollups' report is the one the pages and the API ask for; the scan is one
statement over the events and the ledger. Both must say the same of every customer, to the nano-unit.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from bench.jobs import Result, summary
from bench.margin_population import month
from config import embedded_postgres
from kernel.sql_files import sql_file

T = TypeVar("T")

REPEATS = 5
"""Reports by rollup. The scan is made once, before which what it needs is in memory or is not, as on any day."""

PAGES = 20


def measure() -> dict[str, Result]:
    """Everyone's month: its facts by rollup and by scan, each on one core; the report made of them; and one page."""
    from kernel.clock import utc_now
    from margins.queries.margins import Dimension, Scope, margin_rows

    start, end = month()
    scope = Scope(start.date(), end.date())
    report, rows = _timed(lambda: margin_rows(scope, [Dimension.CUSTOMER], now=utc_now()), REPEATS)
    by_rollup, _ = _timed(_facts, REPEATS)
    by_scan, scanned = _timed(_scan, 1)
    wrong = Counter[str]()
    if differing := _differing(rows, scanned):
        wrong["figures that differ from the scan's"] = differing
    pages, status = _timed(_pages(), PAGES)
    refused = Counter[str]() if status == 200 else Counter({f"status {status}": 1})
    return {
        "margin_report": summary(report, 1 / min(report), len(report), wrong),
        "margin_facts": summary(by_rollup, 1 / min(by_rollup), len(by_rollup), Counter()),
        "margin_scan": summary(by_scan, 1 / by_scan[0], 1, Counter()),
        "margin_page": summary(pages, 1 / min(pages), len(pages), refused),
    }


def _facts() -> int:
    """Ask the rollups for everyone's month: usage, supplier cost, and revenue of every kind, subscriptions included."""
    from kernel.clock import utc_now
    from margins.queries.facts import Grain, money_facts, usage_facts
    from margins.slices import slices

    start, end = month()
    days = slices(start.date(), end.date(), daily=False, lines=(), now=utc_now())
    grain = Grain(customer=True)
    return sum(1 for _ in usage_facts(days, grain, None)) + sum(1 for _ in money_facts(days, grain, (), None))


def _timed(action: Callable[[], T], repeats: int) -> tuple[list[float], T]:
    """How many seconds each took, after one to warm up, and what the last one came to."""
    result = action() if repeats > 1 else None
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        result = action()
        seconds.append(time.perf_counter() - started)
    return seconds, result  # type: ignore[return-value] # repeats is at least 1


def _scan() -> dict[str, tuple[int, ...]]:
    from django.db import connection

    start, end = month()
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")  # one core against one core
        cursor.execute(sql_file("bench", "margin_scan"), {"start": start, "end": end})
        found = cursor.fetchall()
        cursor.execute("RESET max_parallel_workers_per_gather")
        cursor.execute("SELECT id, key FROM customer")
        keys = dict(cursor.fetchall())
    return {keys[customer]: tuple(map(int, figures)) for customer, *figures in found}


def _differing(rows: list[Any], scanned: dict[str, tuple[int, ...]]) -> int:
    """How many customers the report and the scan say different things of."""
    from margins.margin import INFERENCE
    from margins.recognition import RevenueKind
    from margins.units import FEMTO_PER_NANO

    reported = {}
    for (key,), margin in rows:
        usage, own = margin.usage, margin.own
        reported[key] = (
            usage.calls,
            usage.unpriced_calls,
            usage.tokens,
            usage.charged_microcredits,
            own.cogs.get(INFERENCE, 0) // FEMTO_PER_NANO,
            own.revenue.get(RevenueKind.CREDITS, 0) // FEMTO_PER_NANO,
        )
    return sum(reported.get(key) != scanned.get(key) for key in reported.keys() | scanned.keys())


def _pages() -> Callable[[], int]:
    """Asks for one customer's page as a signed-in member of staff, from the view to the last byte of HTML."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    start, end = month()
    client = Client(SERVER_NAME="localhost")
    user, _ = get_user_model().objects.get_or_create(
        username="bench", defaults={"is_staff": True, "is_superuser": True}
    )
    client.force_login(user)
    asked = {"from": start.date().isoformat(), "to": end.date().isoformat()}
    return lambda: client.get("/margins/customers/m0000001/", asked).status_code


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    embedded_postgres.database_url()
    import django

    django.setup()
    sys.stdout.buffer.write(msgspec.json.encode(measure()))


if __name__ == "__main__":
    main()
