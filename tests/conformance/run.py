"""Run the shared conformance cases: ``python -m tests.conformance.run [--cases DIR]``.

Each failure is a line with its case and what differs; each file ends in a summary; the last line
is the sum of all files. Exits 1 if a case failed, or if there was none to run.
"""

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

SHARED_CASES = Path(__file__).resolve().parents[2].parent / "shared" / "conformance"

SUITES = {
    "burndown.json": "tests.conformance.burndown",
    "cost.json": "tests.conformance.cost",
    "http_behaviours.json": "tests.conformance.http",
}
"""Which module runs the cases of which file: its ``run(cases) -> (passed, failures, skipped)``."""


class Outcome(NamedTuple):
    """What became of one file's cases."""

    passed: int = 0
    failures: tuple[str, ...] = ()
    skipped: int = 0
    remark: str = ""

    def __str__(self) -> str:
        counts = f"{self.passed} passed, {len(self.failures)} failed"
        return f"{counts}, {self.skipped} skipped" if self.skipped else counts


def run_file(folder: Path, name: str) -> Outcome:
    """Run one file's cases. A file that is not there, or that nothing can run yet, says so."""
    path = folder / name
    if not path.is_file():
        return Outcome(remark="not there")
    cases = json.loads(path.read_text())
    suite = _suite(SUITES[name])
    if suite is None:
        return Outcome(skipped=len(cases["cases"]), remark="nothing runs these yet")
    passed, failures, skipped = suite(cases)
    return Outcome(passed, tuple(failures), skipped)


def _suite(module: str) -> Callable[[dict[str, Any]], tuple[int, list[str], int]] | None:
    try:
        suite: Callable[[dict[str, Any]], tuple[int, list[str], int]] = import_module(module).run
    except ModuleNotFoundError as missing:
        # Only the suite itself may be missing; what it imports may not.
        if missing.name != module:
            raise
        return None
    return suite


def main(arguments: list[str] | None = None) -> int:
    """Run every file of the folder and print the outcome."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.run", description=__doc__)
    parser.add_argument("--cases", type=Path, default=SHARED_CASES, help="folder of the case files")
    folder = parser.parse_args(arguments).cases

    outcomes = []
    for name in SUITES:
        outcome = run_file(folder, name)
        for failure in outcome.failures:
            print(f"FAILED {name} {failure}")
        print(f"{name}: {outcome.remark or outcome}")
        outcomes.append(outcome)
    total = Outcome(
        passed=sum(outcome.passed for outcome in outcomes),
        failures=tuple(failure for outcome in outcomes for failure in outcome.failures),
        skipped=sum(outcome.skipped for outcome in outcomes),
    )
    print(total)
    return 0 if total.passed and not total.failures else 1


if __name__ == "__main__":
    sys.exit(main())
