"""What the same server does without us: pgbench, and COPY. The denominators of every ratio."""

import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg

from bench.jobs import Result
from config.embedded_postgres.cluster import find_programs
from kernel.sql_files import sql_file

CLIENTS = 8
WRITERS = 2
"""COPY is fastest with one writer per core of a small machine."""

_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: ([0-9]+)", re.MULTILINE)
_DONE = re.compile(r"^number of transactions actually processed: ([0-9]+)", re.MULTILINE)


def create_tables(url: str, customers: int) -> None:
    """The baselines' own tables, in the database of the bench."""
    with psycopg.connect(url, autocommit=True) as connection:
        psycopg.ClientCursor(connection).execute(sql_file("bench", "baselines"), {"customers": customers})
        connection.execute("VACUUM (ANALYZE) bench_account")


def pgbench(url: str, script: str, *, customers: int, seconds: float) -> Result:
    """Run a script with 8 clients and prepared statements. Only its rate is measured."""
    done = subprocess.run(
        [
            find_programs() / "pgbench",
            *("--no-vacuum", "--protocol=prepared", f"--client={CLIENTS}", "--jobs=2"),
            *(f"--time={max(1, round(seconds))}", f"--define=customers={customers}"),
            *("--file", Path(__file__).parent / "sql" / f"{script}.pgbench.sql", url),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return Result(
        per_second=round(_number(_TPS, done.stdout), 1),
        p50_ms=0.0,
        p99_ms=0.0,
        right=int(_number(_DONE, done.stdout)),
        wrong={"failed": failed} if (failed := int(_number(_FAILED, done.stdout))) else {},
    )


def copy(url: str, *, batch: int, rows: int) -> Result:
    """COPY this many events into a table with the same columns, keys and indexes, a commit per batch."""
    blocks = [_block(batch) for _ in range(max(WRITERS, rows // batch))]
    with ThreadPoolExecutor(WRITERS) as pool:
        connections = [psycopg.connect(url, autocommit=True) for _ in range(WRITERS)]
        started = time.perf_counter()
        parts = [
            pool.submit(_copy, connection, blocks[number::WRITERS]) for number, connection in enumerate(connections)
        ]
        took = [each for part in parts for each in part.result()]
        seconds = time.perf_counter() - started
        for connection in connections:
            connection.close()
    ordered = sorted(took)
    return Result(
        per_second=round(batch * len(blocks) / seconds, 1),
        p50_ms=round(1000 * ordered[len(ordered) // 2], 3),
        p99_ms=round(1000 * ordered[len(ordered) * 99 // 100], 3),
        right=batch * len(blocks),
        wrong={},
    )


_COLUMNS = (
    "customer_id, key_digest, key, body_digest, occurred_at, received_at, feature_id, action, user_key, run_key, "
    "provider, model, reported_model, processing, region, memoised, input_tokens, cache_read_tokens, "
    "cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, plan_version_id, rate_id, "
    "charged_microcredits, cost_nanousd, computed_cost_nanousd, cost_card"
)


def _copy(connection: "psycopg.Connection[tuple[object, ...]]", blocks: list[bytes]) -> list[float]:
    took = []
    for block in blocks:
        started = time.perf_counter()
        with connection.cursor().copy(f"COPY bench_event ({_COLUMNS}) FROM STDIN") as into:
            into.write(block)
        took.append(time.perf_counter() - started)
    return took


def _block(batch: int) -> bytes:
    """One batch as COPY takes it: the values our own events have, under keys nobody has used."""
    now = datetime.now(UTC).isoformat()
    rows = []
    for number in range(batch):
        key = uuid4()
        rows.append(
            f"{key.int % 10_000}\t{key}\tcopy.0.0.{number:09d}\t{key}\t{now}\t{now}\t1\t\t\t\topenai\tgpt-4o-mini\t"
            f"gpt-4o-mini\t\t\tf\t1180\t512\t0\t0\t212\t0\t1\t1\t128000\t265800\t265800\topenai gpt-4o-mini\n"
        )
    return "".join(rows).encode()


def _number(pattern: re.Pattern[str], text: str) -> float:
    found = pattern.search(text)
    return float(found[1]) if found else 0.0
