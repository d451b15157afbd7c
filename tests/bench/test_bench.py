"""The bench itself: it runs, and it notices what is wrong."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from django.db import connection

from bench.audit import Told, findings
from bench.population import PAST_EVENTS, populate
from bench.report import Report
from entitlements.models import Balance, CreditGrant, Customer, LedgerEntry
from kernel.sql_files import ROOT
from tests.gate import test_dsn
from tests.world import assert_ledger_explains


@pytest.fixture
def database() -> Iterator[str]:
    """How the names of the databases of one run of the bench start; they are removed afterwards."""
    name = f"weir_bench_test_{os.getpid()}"
    yield name
    assert _bench("--drop", "--database", name).returncode == 0


def _bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_quick_run_measures_and_audits(database: str, tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    only = [word for name in ("settle_64", "hot_64", "ingest_100", "lone") for word in ("--only", name)]
    done = _bench("--quick", "--seconds", "0.3", "--database", database, "--out", str(out), *only)
    assert done.returncode == 0, done.stdout + done.stderr
    report = msgspec.json.decode(out.read_bytes(), type=Report)
    assert {line.name for line in report.lines} == {"settle_64", "hot_64", "ingest_100", "lone"}
    assert all(line.ratio > 0 for line in report.lines)
    assert all(reading.right > 0 for readings in report.measures.values() for reading in readings)
    assert report.postgres["synchronous_commit"] == "on"


@pytest.fixture
def populated(transactional_db: None) -> str:
    """The address of a database with a few customers of the bench."""
    populate(20)
    return test_dsn()


def test_every_customer_has_a_past_that_adds_up(populated: str) -> None:
    assert findings(populated, "none", {}) == []
    assert Customer.objects.count() == Balance.objects.count() == CreditGrant.objects.count() == 20
    assert LedgerEntry.objects.count() == 20 * (PAST_EVENTS + 1)
    last = Customer.objects.get(key="c0000019")
    assert_ledger_explains(last.pk)
    assert CreditGrant.objects.get(customer_id=last.pk).subscription_id == last.subscriptions.get().pk


@pytest.mark.parametrize(
    ("corruption", "noticed"),
    [
        ("UPDATE balance SET posted_microcredits = posted_microcredits - 1", "the sum of the ledger"),
        ("UPDATE balance SET ledger_seq = ledger_seq + 1", "no gaps"),
        ("UPDATE credit_grant SET remaining_microcredits = remaining_microcredits - 1", "left of the grants"),
        ("UPDATE balance SET held_microcredits = 1", "open holds"),
        ("UPDATE usage_day SET calls = calls + 1", "rollup of days"),
        ("UPDATE usage_month SET charged_microcredits = 0", "rollup of months"),
        ("UPDATE limit_counter SET used = used + 1", "limit counters"),
    ],
)
def test_the_audit_notices(populated: str, corruption: str, noticed: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"{corruption} WHERE customer_id = (SELECT id FROM customer WHERE key = 'c0000007')")
    assert any(noticed in finding for finding in findings(populated, "none", {})), findings(populated, "none", {})


def test_the_audit_notices_an_answer_without_a_row(populated: str) -> None:
    assert findings(populated, "run", {"usage_64": Told(done=1)}) == ["usage_64: 1 answered as done, 0 in the database"]
    assert findings(populated, "run", {"usage_64": Told(unknown=1)}) == []
