"""Results as they are printed, stored and shown in the documentation."""

import os
import platform
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from bench.jobs import Result
from bench.lines import LineResult

SETTINGS = (
    *("synchronous_commit", "fsync", "full_page_writes", "shared_buffers", "max_wal_size", "wal_compression"),
    *("wal_sync_method", "max_connections", "random_page_cost"),
)
DOCUMENT = Path(__file__).parent.parent / "docs" / "bench.md"
START, END = "<!-- results: begin -->\n", "<!-- results: end -->\n"


class Report(msgspec.Struct, kw_only=True):
    """A whole run."""

    machine: dict[str, Any]
    postgres: dict[str, str]
    rounds: int
    seconds: float
    lines: list[LineResult]
    measures: dict[str, list[Result]]
    """Every reading, by measure and round, baselines included."""
    skipped: dict[str, str]
    costing: dict[str, float]
    """Pure computing, in this process: bench/costing.py."""
    findings: list[str]
    """What the audit found wrong. A run with findings proves nothing."""


def facts(url: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What machine, and which PostgreSQL under which settings."""
    with psycopg.connect(url, autocommit=True) as connection:
        settings = {name: str(connection.execute(f"SHOW {name}").fetchone()[0]) for name in SETTINGS}  # type: ignore[index]
        version = str(connection.execute("SHOW server_version").fetchone()[0])  # type: ignore[index]
    machine = {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }
    return machine, {"version": version, **settings}


def table(report: Report) -> str:
    """The lines as a Markdown table."""
    rows = [
        "| line | ratio | at least | aim | measured | baseline | p50 ms | p99 ms |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    rows += [_row(line) for line in report.lines]
    rows += [f"| {name} | skipped: {why} | | | | | | |" for name, why in report.skipped.items()]
    return "\n".join(rows) + "\n"


def document(report: Report) -> str:
    """What stands between the marks in docs/bench.md."""
    machine, postgres = report.machine, report.postgres
    return (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, "
        f"Python {machine['python']}, PostgreSQL {postgres['version']} "
        f"(synchronous_commit={postgres['synchronous_commit']}, fsync={postgres['fsync']}, "
        f"shared_buffers={postgres['shared_buffers']}), {report.rounds} rounds of {report.seconds:g} s.\n\n"
        f"{table(report)}"
    )


def write(report: Report, path: Path) -> None:
    """Store the results."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")


def write_document(report: Report) -> None:
    """Put the results into the documentation."""
    text = DOCUMENT.read_text()
    head, _, rest = text.partition(START)
    tail = rest.partition(END)[2]
    DOCUMENT.write_text(f"{head}{START}{document(report)}{END}{tail}")


def _row(line: LineResult) -> str:
    sign = "≤" if line.at_most else "≥"
    mark = {True: "", False: " ✗", None: ""}[line.reached]
    unit = " ms" if line.value != "per_second" else "/s"
    return (
        f"| {line.title} | {line.ratio:.2f}{mark} | {_bound(sign, line.reach)} | {_bound(sign, line.aim)} "
        f"| {_amount(line.top)}{unit} | {_amount(line.bottom)}{unit} | {line.p50_ms:.1f} | {line.p99_ms:.1f} |"
    )


def _bound(sign: str, value: float | None) -> str:
    return "" if value is None else f"{sign} {value:g}"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
