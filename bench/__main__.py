"""`python -m bench`: measure, print ratios, write bench/results.json. How to read it: docs/bench.md."""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from bench import baselines, costing, database, margins, place, report, simulation
from bench.jobs import Result
from bench.lines import LINES, Line, judge, scale_lines
from bench.place import Measure, Place, Size
from bench.report import Report

RESULTS = Path(__file__).parent / "results.json"
FULL = Size(seconds=3, warm_up_seconds=0.7, copied_rows=300_000)
QUICK = Size(seconds=1, warm_up_seconds=0.2, copied_rows=20_000, ingesting=1)
CUSTOMERS, QUICK_CUSTOMERS, LARGER = 10_000, 1_000, [100_000, 1_000_000]


def main(arguments: Sequence[str]) -> int:
    """Run the bench; 0 if everything that was measured was also right."""
    options = _parser().parse_args(arguments)
    if options.drop:
        for number in (QUICK_CUSTOMERS, CUSTOMERS, *LARGER):
            database.drop(f"{options.database}_{number}")
            database.drop(margins.database_name(options.database, number))
        database.drop(simulation.DATABASE)
        return 0
    customers = QUICK_CUSTOMERS if options.quick else CUSTOMERS
    larger = [] if options.quick else [size for size in LARGER if size < 1_000_000 or options.million]
    lines = _chosen([*LINES, *margins.LINES, *scale_lines([customers, *larger], customers)], options.only)
    size = QUICK if options.quick else FULL
    if options.seconds:
        size = msgspec.structs.replace(size, seconds=options.seconds)
    rounds = options.rounds or (1 if options.quick else 5)
    _warn_if_busy()
    with _places(lines, [customers, *larger], size, options) as places:
        of_margins = margins.measures(options.database, customers, quick=options.quick, fresh=options.fresh)
        taken = _measure(lines, places, of_margins, rounds)
        machine, postgres = report.facts(places[0].url)
        done = Report(
            machine=machine,
            postgres=postgres,
            rounds=rounds,
            seconds=size.seconds,
            lines=[judge(line, taken) for line in lines],
            measures={name: [results[name] for results in taken] for name in taken[0]},
            skipped=_skipped(options),
            costing=costing.measure() if not options.only and not options.quick else {},
            findings=[*_wrong(taken), *(finding for each in places for finding in each.audit())],
        )
    print("", report.document(done), *(f"WRONG: {finding}" for finding in done.findings), sep="\n")
    whole = not options.quick and not options.only
    if options.out or whole:
        report.write(done, options.out or RESULTS)
    if whole and not options.out:
        report.write_document(done)
        simulation.main(())
    return 1 if done.findings else 0


def _warn_if_busy() -> None:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 4:
        print(f"This machine is busy (load {load:.1f}, {cores} cores): even ratios will be off.", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run that only shows that everything works")
    parser.add_argument("--only", action="append", metavar="NAME", help="a line, or all that start so; may be repeated")
    parser.add_argument("--rounds", type=int, help="how often to measure everything (5)")
    parser.add_argument("--seconds", type=float, help=f"per measurement ({FULL.seconds:g})")
    parser.add_argument("--million", action="store_true", help="also with 1,000,000 customers: minutes to set up, once")
    parser.add_argument("--fresh", action="store_true", help="make the large database anew, too")
    parser.add_argument("--drop", action="store_true", help="only remove the bench's databases")
    parser.add_argument("--database", default="weir_bench", help="how their names start (weir_bench)")
    parser.add_argument("--out", type=Path, help=f"where to write the results (a whole run: {RESULTS.name})")
    return parser


def _chosen(lines: list[Line], only: list[str] | None) -> list[Line]:
    """The lines of these names; of a name no line has, all those that start so."""
    names = {line.name for line in lines}
    exact = {name for name in only or () if name in names}
    starts = tuple(name for name in only or ("",) if name not in names)
    chosen = [line for line in lines if line.name in exact or line.name.startswith(starts)]
    if not chosen:
        sys.exit(f"no line has such a name; there are: {', '.join(sorted(names))}")
    return chosen


def _skipped(options: argparse.Namespace) -> dict[str, str]:
    """What was not measured, and why."""
    skipped = {}
    if not options.million and not options.only:
        skipped["1,000,000 customers ÷ 10,000"] = "asked for with --million"
    return skipped


@contextmanager
def _places(lines: list[Line], sizes: list[int], size: Size, options: argparse.Namespace) -> Iterator[list[Place]]:
    """The main place with the baselines' tables, and, where lines ask for them, larger ones."""
    run = f"{int(time.time()):x}"
    wanted = {measure for line in lines for measure in line.measures}
    with ExitStack() as stack:
        places: list[Place] = []
        for customers in sizes:
            if places and not any(measure.endswith(f"_{customers}") for measure in wanted):
                continue
            print(f"preparing {customers:,} customers ...", flush=True)
            name = f"{options.database}_{customers}"
            opened = place.opened(name, customers, run=run, size=size, fresh=options.fresh)
            places.append(stack.enter_context(opened))
        baselines.create_tables(places[0].url, places[0].customers)
        yield places


def _measure(lines: list[Line], places: list[Place], more: dict[str, Measure], rounds: int) -> list[dict[str, Result]]:
    """Everything the lines need, round by round."""
    wanted = {measure for line in lines for measure in line.measures}
    wanted |= {place.NEEDS[measure] for measure in wanted if measure in place.NEEDS}
    available: dict[str, Measure] = place.measures(places[0]) | place.scale_measures(places) | more
    taken = []
    for round_ in range(1, rounds + 1):
        results = {}
        for name, measure in available.items():
            if name in wanted:
                results[name] = result = measure(round_)
                print(
                    f"{round_}/{rounds}  {name:22} {result.per_second:>10,.0f}/s  "
                    f"p50 {result.p50_ms:8.2f} ms  p99 {result.p99_ms:8.2f} ms  "
                    f"service {result.server_us:5.0f} µs  generator {result.cpu_share:4.0%}",
                    flush=True,
                )
        taken.append(results)
    return taken


def _wrong(taken: list[dict[str, Result]]) -> list[str]:
    """The answers that were not what they should have been."""
    return [
        f"{name}, round {number}: {times} times {said}"
        for number, results in enumerate(taken, start=1)
        for name, result in results.items()
        for said, times in result.wrong.items()
    ]


if __name__ == "__main__":
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    sys.exit(main(sys.argv[1:]))
