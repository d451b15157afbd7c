"""manage.py rerate: correct what past usage cost us, with a look before and a way back (docs/adr/0014)."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from kernel.clock import utc_now
from kernel.errors import Problem
from kernel.units import format_usd
from metering.customers import customer_id_of
from metering.models import CostCard, Rerating
from metering.rerating import applying
from metering.rerating.applying import Went
from metering.rerating.preview import CUTS, Moved, Preview, preview
from metering.rerating.scope import Scope

REFUSED: Final = 2
_SHOWN: Final = 20


class Command(BaseCommand):
    help = (
        "Cost past events again by the cost cards published now. Without --apply nothing changes: it says who and what "
        "would move, customer by customer, model by model, day by day. --apply writes adjustments beside the events, "
        "whose own stamps stay; --undo takes them back; --resume finishes what was interrupted. Exit code 2: refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="start", metavar="DATE", type=_day, help="First UTC day.")
        parser.add_argument("--to", dest="end", metavar="DATE", type=_day, help="UTC day before which to stop.")
        parser.add_argument("--customer", metavar="KEY", help="Only this customer.")
        parser.add_argument("--model", default="", help="Only this model: its key, or the id it was reported by.")
        parser.add_argument("--unpriced", action="store_true", help="Only events that have no cost yet.")
        parser.add_argument(
            "--draft", metavar="ID", type=int, help="Preview as if this draft cost card were published."
        )
        parser.add_argument("--all", action="store_true", help=f"Every line, not the {_SHOWN} that move most.")
        parser.add_argument("--apply", action="store_true", help="Write the adjustments.")
        parser.add_argument("--undo", metavar="ID", type=int, help="Take a re-rating back.")
        parser.add_argument("--resume", metavar="ID", type=int, help="Finish an interrupted one.")
        parser.add_argument("--list", action="store_true", help="What was re-rated before.")
        parser.add_argument("--reason", default="", help="Why: kept with the figures.")
        parser.add_argument("--author", default="", help="Who: kept with the figures.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            self._list()
            return
        now = utc_now()
        done: Rerating | None
        try:
            with _progress() as went:
                if options["resume"] is not None:
                    done = applying.resume(options["resume"], now=now, went=went)
                elif options["undo"] is not None:
                    done = applying.undo(options["undo"], now=now, went=went, **_why(options))
                else:
                    done = self._rerate(options, went)
        except Problem as refusal:
            where = f" ({refusal.field})" if refusal.field else ""
            raise CommandError(f"{refusal.title}: {refusal.detail}{where}.", returncode=REFUSED) from None
        if done is not None:
            self.stdout.write(self.style.SUCCESS(_line(done)))

    def _rerate(self, options: dict[str, Any], went: Went) -> Rerating | None:
        scope = _scope(options)
        draft = _draft(options["draft"])
        if options["apply"] and draft is not None:
            raise CommandError("A draft prices nothing: publish it, then apply without --draft.", returncode=REFUSED)
        why = _why(options) if options["apply"] else {}
        found = preview(scope, draft=draft, looked_at=went)
        self._show(found, whole=options["all"])
        if not options["apply"] or not found.total.calls:
            return None
        if not options["yes"]:
            _ask()
        return applying.apply(scope, now=utc_now(), went=went, **why)

    def _show(self, found: Preview, *, whole: bool) -> None:
        total = found.total
        self.stdout.write(
            f"{found.examined:,} calls looked at, {total.calls:,} move: {format_usd(total.before)} → "
            f"{format_usd(total.after)} USD ({_signed(total.delta)}), {total.newly_priced:,} of them had no cost."
        )
        for cut in CUTS:
            lines = sorted(found.by[cut].items(), key=lambda line: (-abs(line[1].delta), line[0]))
            for name, moved in lines if whole else lines[:_SHOWN]:
                self.stdout.write(f"  {cut} {name or '(none)'}: {_moved(moved)}")
            if len(lines) > _SHOWN and not whole:
                self.stdout.write(f"  … and {len(lines) - _SHOWN:,} more (--all)")
        if found.still_unpriced:
            self.stdout.write(f"{found.still_unpriced:,} calls stay unpriced: no card and no list names their model.")
        if found.archived.calls:
            self.stdout.write(
                f"{found.archived.calls:,} calls of these days are archived and keep their cost "
                f"({found.archived.unpriced_calls:,} of them without one)."
            )

    def _list(self) -> None:
        for rerating in Rerating.objects.all():
            self.stdout.write(_line(rerating))


def _line(rerating: Rerating) -> str:
    days = f"{rerating.starts_on} up to {rerating.ends_on}"
    what = (
        f"{rerating.moved_calls:,} of {rerating.examined_calls:,} calls moved by {_signed(rerating.delta_nanousd)} USD"
    )
    undone = f"; undone by {rerating.undone_by}: {rerating.undo_reason}" if rerating.undo_reason else ""
    return f"#{rerating.pk} {rerating.state}: {days}, {what}, by {rerating.author}: {rerating.reason}{undone}"


def _moved(moved: Moved) -> str:
    priced = f", {moved.newly_priced:,} newly priced" if moved.newly_priced else ""
    costs = f"{format_usd(moved.before)} → {format_usd(moved.after)} ({_signed(moved.delta)})"
    return f"{moved.calls:,} calls, {costs}{priced}"


def _signed(nanousd: int) -> str:
    return f"{'+' if nanousd > 0 else ''}{format_usd(nanousd)}"


def _scope(options: dict[str, Any]) -> Scope:
    customer_id = None
    if options["customer"] is not None:
        customer_id = customer_id_of(options["customer"])
        if customer_id is None:
            raise CommandError(f"No customer has the key {options['customer']!r}.", returncode=REFUSED)
    if options["start"] is None:
        raise CommandError("Say which days: --from 2026-11-01 [--to 2026-12-01].", returncode=REFUSED)
    end = options["end"] or utc_now().date() + timedelta(days=1)
    if end <= options["start"]:
        raise CommandError("--to must be later than --from.", returncode=REFUSED)
    return Scope(
        starts_on=options["start"],
        ends_on=end,
        customer_id=customer_id,
        model=options["model"],
        unpriced_only=options["unpriced"],
    )


def _draft(card_id: int | None) -> CostCard | None:
    if card_id is None:
        return None
    card = CostCard.objects.filter(pk=card_id, status=CostCard.Status.DRAFT).first()
    if card is None:
        raise CommandError(f"There is no draft cost card {card_id}.", returncode=REFUSED)
    return card


def _why(options: dict[str, Any]) -> dict[str, str]:
    for name in ("reason", "author"):
        if not options[name].strip():
            raise CommandError(f"Say --{name}: it stays with the figures.", returncode=REFUSED)
    return {"reason": options["reason"], "author": options["author"]}


def _ask() -> None:
    if not sys.stdin.isatty():
        raise CommandError("Nothing was changed: say --yes where nobody can be asked.", returncode=REFUSED)
    if input("Write these adjustments? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise CommandError("Nothing was changed.", returncode=REFUSED)


@contextmanager
def _progress() -> Iterator[Went]:
    """A counter on a terminal's error stream, and silence elsewhere."""
    console = Console(stderr=True)
    columns = TextColumn("{task.completed:,.0f} events"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("events", total=None)
        yield lambda count: progress.advance(task, count)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a date such as 2026-11-01") from None
