"""Work handed to a process of its own, so that what is measured shares no interpreter with what measures."""

import os
import subprocess
import sys
from collections import Counter
from typing import Literal

import msgspec

from kernel.sql_files import ROOT

Kind = Literal["check", "hold", "settle", "usage", "ingest"]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of one kind, made in a closed loop: each connection sends its next call when the last is answered.

    `tag` starts every key, so that the calls can be found in the database afterwards; the tag of one job is no
    other's. Calls go to the first `customers` customers at random: 1 makes that one hot. They go on for `seconds`
    after `warm_up_seconds`, or, when settling, until all of `holds` are settled.
    """

    kind: Kind
    tag: str
    token: str
    port: int = 0
    connections: int = 1
    customers: int = 1
    batch: int = 1
    seconds: float = 1.0
    warm_up_seconds: float = 0.5
    holds: list[str] = []


class Result(msgspec.Struct, kw_only=True):
    """What became of a job. `per_second`, and the latencies in milliseconds, leave the warm-up out; the counts do not.

    `right` calls had the status and the answer they should have; `wrong` ones are counted by what they said instead.
    """

    per_second: float
    p50_ms: float
    p99_ms: float
    right: int
    wrong: dict[str, int]
    holds: list[str] = []
    cpu_share: float = 0.0
    """Of one core, what the process that made the calls used: near 1 it is the bottleneck."""
    server_us: float = 0.0
    """CPU microseconds of the service per call or event, without the database's."""


class WorkerFailed(Exception):
    """A process of the bench ended without a result."""


def run(module: str, job: Job, database_url: str) -> Result:
    """Do the job in `python -m module`. Raises WorkerFailed."""
    done = subprocess.run(
        [sys.executable, "-m", module],
        input=msgspec.json.encode(job),
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url},
        check=False,
    )
    if done.returncode:
        raise WorkerFailed(f"{module} ended with {done.returncode}:\n{done.stderr.decode()[-2000:]}")
    return msgspec.json.decode(done.stdout, type=Result)


def read_job() -> Job:
    """The job this process was given."""
    return msgspec.json.decode(sys.stdin.buffer.read(), type=Job)


def write_result(result: Result) -> None:
    """Hand the result back."""
    sys.stdout.buffer.write(msgspec.json.encode(result))


def summary(seconds: list[float], per_second: float, right: int, wrong: Counter[str]) -> Result:
    """The result of calls that took these many seconds each."""
    ordered = sorted(seconds) or [0.0]
    return Result(
        per_second=round(per_second, 1),
        p50_ms=round(1000 * ordered[len(ordered) // 2], 3),
        p99_ms=round(1000 * ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], 3),
        right=right,
        wrong=dict(wrong),
    )
