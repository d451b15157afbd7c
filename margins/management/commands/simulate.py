"""manage.py simulate: replay a period's real calls under another plan, rates, costs or models (docs/adr/0014)."""

import csv
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kernel.clock import utc_now
from kernel.errors import Problem
from kernel.units import format_credits, format_usd
from margins.models import Simulation
from margins.queries.simulations import Figures, Total, compared, rows_of, stored_totals
from margins.services.naming import move_named, plan_version_id, rate_card_version_id
from margins.services.simulations import SimulationNotDone, SimulationUnknown, Went, ask, run
from margins.simulation.export import COLUMNS, exported
from margins.simulation.scenario import Scenario

REFUSED: Final = 2
_SHOWN: Final = 20


class Command(BaseCommand):
    help = (
        "Replay real calls under candidates and say what would have come of it, in all and by customer. Nothing that "
        "is charged, owed or sold changes. Runs are kept: --compare puts two beside each other. Exit code 2: refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="start", metavar="DATE", type=_day, help="First UTC day.")
        parser.add_argument("--to", dest="end", metavar="DATE", type=_day, help="UTC day before which to stop.")
        parser.add_argument("--plan", metavar="PLAN/NUMBER", help="The plan version to sell, drafts included.")
        parser.add_argument(
            "--instead-of", metavar="PLAN", action="append", default=[], help="Whose subscribers get it."
        )
        parser.add_argument("--rate-card", metavar="CARD/NUMBER", help="The rate card version to charge by.")
        parser.add_argument("--cost-card", metavar="ID", type=int, action="append", default=[], help="A cost card.")
        parser.add_argument(
            "--move", metavar="MODEL=MODEL[@FEATURE]", action="append", default=[], help="Send calls on."
        )
        parser.add_argument("--limits", choices=("enforce", "observe"), default="enforce", help="Refuse, or only tell.")
        parser.add_argument("--customer", metavar="KEY", action="append", default=[], help="Only these customers.")
        parser.add_argument("--name", default="", help="What to call the run.")
        parser.add_argument("--csv", metavar="FILE", type=Path, help="Write every customer's figures.")
        parser.add_argument("--compare", metavar="ID", type=int, nargs=2, help="Two finished runs.")
        parser.add_argument("--list", action="store_true", help="The runs there are.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["list"]:
                for one in Simulation.objects.all():
                    self.stdout.write(f"#{one.pk} {one.name}: {one.state}, {one.percent} %")
            elif options["compare"]:
                self._compare(*(_done(number) for number in options["compare"]))
            else:
                self._run(options)
        except Problem as refusal:
            where = f" ({refusal.field})" if refusal.field else ""
            raise CommandError(f"{refusal.title}: {refusal.detail}{where}.", returncode=REFUSED) from None

    def _run(self, options: dict[str, Any]) -> None:
        if options["start"] is None or options["end"] is None:
            raise CommandError("Say which days: --from 2026-11-01 --to 2026-12-01.", returncode=REFUSED)
        asked = ask(_scenario(options), name=options["name"], author="command line", now=utc_now())
        with _progress(asked.total_calls) as went:
            done = run(asked.pk, utc_now, went)
        if done is None or done.state != Simulation.State.DONE:
            raise CommandError(done.problem if done else "Another process is at it.", returncode=REFUSED)
        self.stdout.write(f"#{done.pk} {done.name}: {done.done_calls:,} calls replayed.")
        if done.archived_calls:
            self.stdout.write(f"{done.archived_calls:,} calls of these days are archived and were not.")
        for total in stored_totals(done):
            self._show(total)
        rows = rows_of(done)
        for row in rows[:_SHOWN]:
            limit = f", met {row.first_limit} first at {row.first_limit_at}" if row.first_limit else ""
            self.stdout.write(
                f"  {row.customer_key}: revenue {format_usd(row.real_revenue_nano)} → {format_usd(row.revenue_nano)}, "
                f"cost {format_usd(row.real_cost_nanousd)} → {format_usd(row.cost_nanousd)}, "
                f"{row.refused_calls:,} refused{limit}"
            )
        if len(rows) > _SHOWN:
            self.stdout.write(f"  … and {len(rows) - _SHOWN:,} more customers (--csv)")
        if options["csv"]:
            with options["csv"].open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(COLUMNS)
                writer.writerows(exported(row) for row in rows)

    def _show(self, total: Total) -> None:
        self.stdout.write(f"{total.customers:,} customers billed in {total.currency}")
        for name, figures in (("really", total.real), ("simulated", total.simulated)):
            self.stdout.write(f"  {name}: {_figures(figures)}")
        self.stdout.write(
            f"  {total.refused_calls:,} calls of {total.refused_customers:,} customers refused "
            f"({format_credits(total.lost_microcredits)} credits lost, {format_usd(total.saved_nanousd)} USD saved), "
            f"{total.moved_calls:,} sent elsewhere, {total.downgraded_calls:,} downgraded"
        )

    def _compare(self, one: Simulation, other: Simulation) -> None:
        for each in (one, other):
            self.stdout.write(f"#{each.pk} {each.name}")
            for total in stored_totals(each):
                self.stdout.write(f"  {total.currency}: {_figures(total.simulated)}")
        for row in compared(one, other)[:_SHOWN]:
            self.stdout.write(f"  {row.customer}: margin differs by {format_usd(row.difference)} {row.currency}")


def _figures(figures: Figures) -> str:
    margin = "not in one currency" if figures.margin_nano is None else f"{format_usd(figures.margin_nano)} USD"
    return (
        f"{figures.calls:,} calls, {format_credits(figures.microcredits)} credits, "
        f"revenue {format_usd(figures.revenue_nano)} {figures.currency}, cost {format_usd(figures.cost_nanousd)} USD, "
        f"margin {margin}"
    )


def _done(simulation_id: int) -> Simulation:
    found = Simulation.objects.filter(pk=simulation_id).first()
    if found is None:
        raise SimulationUnknown(f"there is no simulation {simulation_id}")
    if found.state != Simulation.State.DONE:
        raise SimulationNotDone(f"{found.name!r} ({found.pk}) is {found.state}")
    return found


def _scenario(options: dict[str, Any]) -> Scenario:
    return Scenario(
        starts_on=options["start"],
        ends_on=options["end"],
        plan_version_id=plan_version_id(options["plan"]) if options["plan"] else None,
        instead_of=tuple(options["instead_of"]),
        rate_card_version_id=rate_card_version_id(options["rate_card"]) if options["rate_card"] else None,
        cost_card_ids=tuple(options["cost_card"]),
        moves=tuple(map(move_named, options["move"])),
        limits=options["limits"],
        customers=tuple(options["customer"]),
    )


@contextmanager
def _progress(calls: int) -> Iterator[Went]:
    """A bar on a terminal's error stream, and silence elsewhere."""
    console = Console(stderr=True)
    columns = TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("calls", total=calls)
        yield lambda count: progress.advance(task, count)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a date such as 2026-11-01") from None
