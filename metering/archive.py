"""How old events leave: into files first, then, chunk by chunk, out of the database (docs/adr/0007-events-leave.md).

A chunk's events, their tombstones and what they had added to their days change places in one
transaction. Whatever is interrupted, every event is in the database or in a verified file, and the
next run with the same directory goes on from there.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec
from django.db import connection, transaction

from kernel.sql_files import sql_file
from metering.archive_file import Manifest, manifests, read_events, save_manifest, verify, write_file
from metering.events import EventRow
from metering.snapshot import snapshot

_CHUNK: Final = 2_000
"""Events that leave in one transaction: a fraction of a second of work, and of locks."""

Moved = Callable[[Literal["written", "removed"], int], None]
"""Told how many more events have been written to a file, or have left the database."""


_Params = dict[str, Any]


class ArchiveBusy(Exception):
    """Another archive run is at work on this database."""


class EventsMissing(Exception):
    """A file names events this database does not know: it is another database's file, or they were lost."""


class Month(NamedTuple):
    """How many events of a calendar month (UTC, by its first day) are old enough to leave."""

    first: date
    events: int


def old_months(*, before: datetime, customer_id: int | None) -> list[Month]:
    """The months with events that occurred before `before`, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(sql_file("metering", "archive_months"), {"before": before, "customer_id": customer_id})
        return [Month(*row) for row in cursor.fetchall()]


def unfinished(directory: Path) -> list[Manifest]:
    """The files some of whose events may still be in the database. Raises ArchiveUnreadable."""
    return [manifest for manifest in manifests(directory) if manifest.removed_at is None]


def archive_events(
    *, before: datetime, directory: Path, customer_id: int | None, now: datetime, moved: Moved
) -> list[Manifest]:
    """Archive the events that occurred before `before` (all customers, or one), after finishing what was interrupted.

    Returns the manifests of the files that were finished. Raises ArchiveBusy, ArchiveUnreadable, EventsMissing.
    """
    finished = []
    with _alone():
        for manifest in unfinished(directory):
            verify(directory, manifest)
            finished.append(_remove(directory, manifest, now=now, moved=moved))
        for month in old_months(before=before, customer_id=customer_id):
            manifest = _write(directory, month.first, before=before, customer_id=customer_id, now=now, moved=moved)
            finished.append(_remove(directory, manifest, now=now, moved=moved))
    return finished


def _write(
    directory: Path, month: date, *, before: datetime, customer_id: int | None, now: datetime, moved: Moved
) -> Manifest:
    start = datetime(month.year, month.month, 1, tzinfo=UTC)
    following = (start + timedelta(days=31)).replace(day=1)
    span: _Params = {"start": start, "end": min(following, before), "customer_id": customer_id}
    # Sums and lines are of one snapshot: that the file adds up to what the database had is then a proof.
    with snapshot():
        with connection.cursor() as cursor:
            cursor.execute(sql_file("metering", "archive_sums"), span)
            sums = tuple(int(total or 0) for total in cursor.fetchone())
        return write_file(directory, month, _lines(span, moved), sums=sums, customer_id=customer_id, now=now)


def _lines(span: _Params, moved: Moved) -> Iterator[str]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql_file("metering", "archive_lines"), span)
        while rows := cursor.fetchmany(_CHUNK):
            yield from (line for (line,) in rows)
            moved("written", len(rows))


def _remove(directory: Path, manifest: Manifest, *, now: datetime, moved: Moved) -> Manifest:
    """Let the file's events leave, and only those: what came in since it was written stays for the next run."""
    events = read_events(directory / manifest.file)
    while chunk := list(islice(events, _CHUNK)):
        _remove_chunk(manifest, chunk, now)
        moved("removed", len(chunk))
    done = msgspec.structs.replace(manifest, removed_at=now)
    save_manifest(directory, done)
    return done


def _remove_chunk(manifest: Manifest, chunk: Sequence[EventRow], now: datetime) -> None:
    these: _Params = {
        "customer_id": [event.customer_id for event in chunk],
        "key_digest": [event.key_digest for event in chunk],
        "body_digest": [event.body_digest for event in chunk],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('weir.archiving', 'on', true)")
        cursor.execute(sql_file("metering", "archive_remove"), {**these, "now": now})
        cursor.execute(sql_file("metering", "archive_tombstones"), these)
        (known,) = cursor.fetchone()
        if known != len(chunk):
            raise EventsMissing(f"{len(chunk) - known} events of {manifest.file} are not known to this database")


@contextmanager
def _alone() -> Iterator[None]:
    """One archive run at a time, whatever directory it writes to. The lock goes with the connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('weir.archive'))")
        if cursor.fetchone() != (True,):
            raise ArchiveBusy("another archive run is at work")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('weir.archive'))")
