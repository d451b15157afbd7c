"""Running the checks as of one instant, without loading what they look at."""

from collections.abc import Callable
from time import perf_counter
from typing import Final

import msgspec
from django.db import connection

from entitlements.audit.checks import Check, all_checks
from metering.snapshot import snapshot

_SETTINGS: Final = "SET LOCAL work_mem = '64MB'; SET LOCAL jit = off; SET LOCAL statement_timeout = 0"
"""Whole tables are joined: what fits into memory need not be sorted on disk."""


class Fault(msgspec.Struct, frozen=True):
    """One row that breaks a promise. The customer is named by key, by `#id` where there is none of that id."""

    customer: str | None
    what: str


class Outcome(msgspec.Struct, frozen=True):
    """What a check looked at and found; `faults` are the first few of `found`."""

    check: Check
    examined: int
    found: int
    faults: tuple[Fault, ...]
    seconds: float


def audit(
    *, customer_id: int | None = None, show: int = 5, told: Callable[[Outcome], None] | None = None
) -> list[Outcome]:
    """Run every check on one read-only snapshot, for all customers or for one, telling each outcome as it comes."""
    outcomes = []
    with snapshot():
        with connection.cursor() as cursor:
            cursor.execute(_SETTINGS)
        for check in all_checks():
            outcomes.append(_run(check, customer_id, show))
            if told is not None:
                told(outcomes[-1])
    return outcomes


def _run(check: Check, customer_id: int | None, show: int) -> Outcome:
    started = perf_counter()
    params = {"customer_id": customer_id, "start": None, "end": None, "show": show}
    faults: tuple[Fault, ...] = ()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), count(fault) FROM ({check.sql}) examined", params)  # noqa: S608 - our own file
        examined, found = cursor.fetchone()
        if found:
            # Asked only now: who looks at ten million good rows need not sort them.
            cursor.execute(
                f"""SELECT COALESCE(c.key, '#' || customer_id), fault
                    FROM ({check.sql}) examined LEFT JOIN customer c ON c.id = customer_id
                    WHERE fault IS NOT NULL ORDER BY customer_id NULLS FIRST, fault LIMIT %(show)s""",  # noqa: S608
                params,
            )
            faults = tuple(Fault(*row) for row in cursor.fetchall())
    return Outcome(check, examined, found, faults, perf_counter() - started)
