"""manage.py archive_events --before DATE --to DIR [--customer KEY] [--yes]: how old events leave (docs/adr/0007)."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Literal

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kernel.clock import utc_now
from kernel.units import format_credits, format_usd
from metering.archive import ArchiveBusy, EventsMissing, Month, archive_events, old_months, unfinished
from metering.archive_file import ArchiveUnreadable, Manifest
from metering.customers import customer_id_of

REFUSED: Final = 2


class Command(BaseCommand):
    help = (
        "Write events from before a date to gzipped JSON lines, a file a month with a manifest, read them back, and "
        "only then remove them from the database. Their keys stay known and rollups stay as they are. Interrupted, the "
        "same command with the same directory goes on. Exit code 2: nothing, or nothing more, was removed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--before", metavar="DATE", type=_day, required=True, help="Events of earlier days (UTC).")
        parser.add_argument("--to", metavar="DIR", type=Path, required=True, help="Where the files go.")
        parser.add_argument("--customer", metavar="KEY", help="Only this customer's events.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        now, before, directory = utc_now(), options["before"], options["to"]
        if before > now:
            raise CommandError(f"{before:%Y-%m-%d} has not begun yet: such events may still come.", returncode=REFUSED)
        customer_id = None if options["customer"] is None else _customer(options["customer"])
        try:
            directory.mkdir(parents=True, exist_ok=True)
            interrupted = unfinished(directory)
            months = old_months(before=before, customer_id=customer_id)
            self._announce(interrupted, months, directory)
            if not interrupted and not months:
                return
            if not options["yes"]:
                _ask()
            with _Bars(interrupted, months) as bars:
                finished = archive_events(
                    before=before, directory=directory, customer_id=customer_id, now=now, moved=bars.moved
                )
        except (ArchiveBusy, ArchiveUnreadable, EventsMissing, OSError) as refusal:
            raise CommandError(f"{refusal}. Run again when this is settled.", returncode=REFUSED) from None
        for manifest in finished:
            self._report(manifest)

    def _announce(self, interrupted: list[Manifest], months: list[Month], directory: Path) -> None:
        for manifest in interrupted:
            self.stdout.write(f"{manifest.file}: interrupted with events still in the database, will be finished first")
        for month in months:
            self.stdout.write(f"{month.first:%Y-%m}: {month.events:,} events to {directory}")
        if not interrupted and not months:
            self.stdout.write("No event is that old.")

    def _report(self, manifest: Manifest) -> None:
        charged, cost = (int(manifest.sums[name]) for name in ("charged_microcredits", "cost_nanousd"))
        self.stdout.write(
            self.style.SUCCESS(
                f"{manifest.file}: {manifest.events:,} events, {format_credits(charged)} credits, "
                f"{format_usd(cost)} USD, {manifest.bytes:,} bytes, SHA-256 {manifest.sha256}"
            )
        )


class _Bars:
    """Two bars on a terminal's error stream, and silence elsewhere. An interrupted file needs no writing any more."""

    def __init__(self, interrupted: list[Manifest], months: list[Month]) -> None:
        console = Console(stderr=True)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        fresh = sum(month.events for month in months)
        self._tasks = {
            "written": self._progress.add_task("to files", total=fresh),
            "removed": self._progress.add_task("out of the database", total=fresh + sum(m.events for m in interrupted)),
        }

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def moved(self, stage: Literal["written", "removed"], count: int) -> None:
        """Move the stage's bar on by so many events."""
        self._progress.advance(self._tasks[stage], count)


def _ask() -> None:
    if not sys.stdin.isatty():
        raise CommandError("Nothing was changed: say --yes where nobody can be asked.", returncode=REFUSED)
    if input("Archive and remove these events? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise CommandError("Nothing was changed.", returncode=REFUSED)


def _customer(key: str) -> int:
    customer_id = customer_id_of(key)
    if customer_id is None:
        raise CommandError(f"No customer has the key {key!r}.", returncode=REFUSED)
    return customer_id


def _day(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a date such as 2026-11-01") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
