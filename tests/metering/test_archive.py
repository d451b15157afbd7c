"""Old events leave for files, once, and are known for good: nothing lost, nothing doubled, wherever it is cut off."""

import gzip
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from entitlements.core.record import Recorded
from kernel.errors import KeyReused
from metering import archive, archive_file
from metering.archive import ArchiveBusy, EventsMissing, archive_events
from metering.archive_file import ArchiveUnreadable, manifests, read_events
from metering.models import ArchivedUsageDay, UsageDay, UsageEvent, UsageTombstone
from metering.rollups import differences
from tests.accounts import fact
from tests.world import Actor, World, assert_ledger_explains

pytestmark = pytest.mark.django_db(transaction=True)

SEPTEMBER, OCTOBER = datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
CUTOFF = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def acme(now: datetime) -> Actor:
    """A customer with two events in September, two in October and one in November."""
    actor = Actor("acme", now, World().pro)
    actor.uses(
        fact("s1", at=SEPTEMBER, tags={"team": "core", "ratio": 0.1}),
        fact("s2", at=SEPTEMBER, model="nobody-knows", provider="", user_key="änn\n"),
        fact("o1", at=OCTOBER),
        fact("o2", at=OCTOBER, reported_cost_nanousd=123),
        fact("n1", at=CUTOFF),
    )
    return actor


def leave(directory: Path, now: datetime, **parts: Any) -> list[archive_file.Manifest]:
    usual = {"before": CUTOFF, "customer_id": None, "moved": lambda stage, count: None}
    return archive_events(directory=directory, now=now, **(usual | parts))


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def archived_keys(directory: Path) -> list[str]:
    return sorted(event.key for path in directory.glob("*.jsonl.gz") for event in read_events(path))


def live_keys() -> list[str]:
    return sorted(UsageEvent.objects.values_list("key", flat=True))


def assert_every_rollup_is_its_recount() -> None:
    assert [str(difference) for difference in differences()] == []


def test_old_events_leave_for_a_file_a_month_and_the_rest_stays(acme: Actor, now: datetime, tmp_path: Path) -> None:
    days = list(UsageDay.objects.order_by("day", "model").values())
    leave(tmp_path, now)
    assert live_keys() == ["n1"]
    assert archived_keys(tmp_path) == ["o1", "o2", "s1", "s2"]
    assert files(tmp_path) == [
        "usage-2026-09.jsonl.gz",
        "usage-2026-09.manifest.json",
        "usage-2026-10.jsonl.gz",
        "usage-2026-10.manifest.json",
    ]
    assert UsageTombstone.objects.count() == 4
    assert list(UsageDay.objects.order_by("day", "model").values()) == days
    assert_every_rollup_is_its_recount()
    assert_ledger_explains(acme.row.pk)


def test_a_line_holds_every_column_as_it_was(acme: Actor, now: datetime, tmp_path: Path) -> None:
    kept = {row["key"]: row for row in UsageEvent.objects.values()}
    leave(tmp_path, now)
    with gzip.open(tmp_path / "usage-2026-09.jsonl.gz", "rt") as lines:
        raw = {line["key"]: line for line in map(json.loads, lines)}
    for key in ("s1", "s2"):
        row = kept[key]
        assert set(raw[key]) == set(row)
        for name, value in row.items():
            found = raw[key][name]
            if isinstance(value, datetime):
                found = datetime.fromisoformat(found)
            elif isinstance(value, UUID):
                found = UUID(found)
            assert found == value, name


def test_the_manifest_vouches_for_the_file(acme: Actor, now: datetime, tmp_path: Path) -> None:
    leave(tmp_path, now)
    manifest = json.loads((tmp_path / "usage-2026-10.manifest.json").read_bytes())
    assert (manifest["events"], manifest["month"], manifest["customer_id"]) == (2, "2026-10", None)
    assert manifest["sums"]["charged_microcredits"] == "280000"
    assert manifest["sums"]["cost_nanousd"] == str(210_000 + 123)
    assert manifest["bytes"] == (tmp_path / manifest["file"]).stat().st_size
    assert manifest["removed_at"] is not None
    for known in manifests(tmp_path):
        archive_file.verify(tmp_path, known)


def test_a_retry_of_an_archived_event_is_a_duplicate_with_the_first_answer(
    acme: Actor, now: datetime, tmp_path: Path
) -> None:
    leave(tmp_path, now)
    retried = [
        fact("s1", at=SEPTEMBER, tags={"team": "core", "ratio": 0.1}),
        fact("s2", at=SEPTEMBER, model="nobody-knows", provider="", user_key="änn\n"),
        fact("o2", at=OCTOBER, reported_cost_nanousd=123),
        fact("o1", at=OCTOBER, model="gpt-4o"),
    ]
    before = acme.balance(), acme.ledger()
    s1, s2, o2, reused = acme.uses(*retried, now=now + timedelta(days=1))
    assert isinstance(s1, Recorded)
    assert isinstance(s2, Recorded)
    assert isinstance(o2, Recorded)
    assert (s1.duplicate, s1.charged_microcredits, s1.cost_nanousd) == (True, 140_000, 210_000)
    assert (s2.duplicate, s2.cost_nanousd) == (True, None)
    assert (o2.duplicate, o2.cost_nanousd) == (True, 123)
    assert isinstance(reused, KeyReused)
    assert (acme.balance(), acme.ledger()) == before
    assert live_keys() == ["n1"]
    assert_every_rollup_is_its_recount()


def test_running_again_moves_nothing_and_late_events_get_a_file_of_their_own(
    acme: Actor, now: datetime, tmp_path: Path
) -> None:
    leave(tmp_path, now)
    first = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    assert leave(tmp_path, now) == []
    acme.uses(fact("late", at=OCTOBER))
    assert_every_rollup_is_its_recount()
    (late,) = leave(tmp_path, now)
    assert (late.file, late.events) == ("usage-2026-10.2.jsonl.gz", 1)
    assert {name: (tmp_path / name).read_bytes() for name in first} == first
    assert archived_keys(tmp_path) == ["late", "o1", "o2", "s1", "s2"]
    assert ArchivedUsageDay.objects.get(day=OCTOBER.date()).calls == 3
    assert_every_rollup_is_its_recount()


def test_one_customer_can_leave_alone(acme: Actor, now: datetime, tmp_path: Path) -> None:
    other = Actor("other", now)
    other.uses(fact("mine", at=OCTOBER))
    (manifest,) = leave(tmp_path, now, customer_id=other.row.pk)
    assert (manifest.customer_id, manifest.events) == (other.row.pk, 1)
    assert live_keys() == ["n1", "o1", "o2", "s1", "s2"]


def test_a_month_may_leave_in_part(acme: Actor, now: datetime, tmp_path: Path) -> None:
    acme.uses(fact("o9", at=OCTOBER + timedelta(days=8)))
    leave(tmp_path, now, before=OCTOBER + timedelta(days=8))
    assert live_keys() == ["n1", "o9"]
    assert_every_rollup_is_its_recount()


def test_events_that_come_in_after_a_file_was_written_stay(
    acme: Actor, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = archive._remove

    def after_a_late_event(directory: Path, manifest: archive_file.Manifest, **parts: Any) -> archive_file.Manifest:
        acme.uses(fact(f"late-{manifest.month}", at=SEPTEMBER))
        return remove(directory, manifest, **parts)

    monkeypatch.setattr(archive, "_remove", after_a_late_event)
    leave(tmp_path, now)
    assert live_keys() == ["late-2026-09", "late-2026-10", "n1"]
    assert_every_rollup_is_its_recount()


class Cut(BaseException):
    """The process ends here."""


@contextmanager
def cut_at(line: tuple[str, int] | None, seen: list[tuple[str, int]]) -> Iterator[None]:
    """Run the block until `line` of the archive's code is reached as often as it is in `seen`; None: note lines."""
    left = Counter(seen)[line] if line else 0
    watched = {archive.__file__, archive_file.__file__}

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        nonlocal left
        if frame.f_code.co_filename not in watched:
            return None
        if event == "line":
            here = (frame.f_code.co_filename, frame.f_lineno)
            if line is None:
                seen.append(here)
            elif here == line:
                left -= 1
                if not left:
                    sys.settrace(None)
                    raise Cut
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)


@pytest.mark.slow
@pytest.mark.parametrize("time", ["first", "last"])
def test_a_crash_at_any_line_loses_nothing_and_the_next_run_finishes(
    now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time: str
) -> None:
    monkeypatch.setattr(archive, "_CHUNK", 2)
    acme = Actor("acme", now, World().pro)
    expected: list[str] = []

    def five_more(round_: int) -> None:
        keys = [f"{round_}-{number}" for number in range(5)]
        acme.uses(*(fact(key, at=SEPTEMBER if key.endswith("0") else OCTOBER) for key in keys))
        expected.extend(keys)

    five_more(0)
    seen: list[tuple[str, int]] = []
    rehearsal = tmp_path / "rehearsal"
    rehearsal.mkdir()
    with cut_at(None, seen):
        leave(rehearsal, now)
    lines = sorted(set(seen))
    assert len(lines) > 80
    cuts = 0
    for round_, line in enumerate(lines, start=1):
        directory = tmp_path / f"{round_}"
        directory.mkdir()
        five_more(round_)
        try:
            with cut_at(line, [line] if time == "first" else seen):
                leave(directory, now)
        except Cut:
            cuts += 1
        # Before the next run: every event is live or has a tombstone, never both, and what has left is in a whole file.
        assert UsageEvent.objects.count() + UsageTombstone.objects.count() == len(expected), line
        vouched = {event.key for known in manifests(directory) for event in read_events(directory / known.file)}
        assert set(expected[-5:]) - set(live_keys()) <= vouched, line
        assert_every_rollup_is_its_recount()
        leave(directory, now)
        assert live_keys() == [], line
        assert UsageTombstone.objects.count() == len(expected)
        assert archived_keys(directory) == [f"{round_}-{number}" for number in range(5)], line
        assert not list(directory.glob(".*")), line
        assert_every_rollup_is_its_recount()
    assert cuts == len(lines)
    assert_ledger_explains(acme.row.pk)


def cut_after_the_first_chunk(directory: Path, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a file behind of whose two events one has left and one has not."""
    monkeypatch.setattr(archive, "_CHUNK", 1)

    def moved(stage: str, count: int) -> None:
        if stage == "removed":
            raise Cut

    with pytest.raises(Cut):
        leave(directory, now, moved=moved)


def test_a_damaged_file_stops_everything(
    acme: Actor, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_after_the_first_chunk(tmp_path, now, monkeypatch)
    path = tmp_path / "usage-2026-09.jsonl.gz"
    whole = path.read_bytes()
    for damaged in (whole[:-9], whole[:20] + bytes([whole[20] ^ 1]) + whole[21:], b""):
        path.write_bytes(damaged)
        with pytest.raises(ArchiveUnreadable, match="usage-2026-09"):
            leave(tmp_path, now)
        assert len(live_keys()) == 4
    path.unlink()
    with pytest.raises(ArchiveUnreadable, match="usage-2026-09"):
        leave(tmp_path, now)
    path.write_bytes(whole)
    leave(tmp_path, now)
    assert live_keys() == ["n1"]
    assert archived_keys(tmp_path) == ["o1", "o2", "s1", "s2"]


def test_a_file_that_lacks_an_event_is_never_vouched_for(
    acme: Actor, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = archive._lines

    def one_short(span: dict[str, object], moved: Any) -> Iterator[str]:
        return (line for number, line in enumerate(whole(span, moved)) if number)

    monkeypatch.setattr(archive, "_lines", one_short)
    with pytest.raises(ArchiveUnreadable, match="calls is 1, not 2"):
        leave(tmp_path, now)
    assert manifests(tmp_path) == []
    assert len(live_keys()) == 5


def test_another_databases_file_is_refused(
    acme: Actor, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_after_the_first_chunk(tmp_path, now, monkeypatch)
    path = tmp_path / "usage-2026-09.manifest.json"
    event = next(read_events(tmp_path / "usage-2026-09.jsonl.gz"))
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("ALTER TABLE usage_tombstone DISABLE TRIGGER USER")
        cursor.execute("UPDATE usage_tombstone SET customer_id = customer_id + 1")
        cursor.execute("ALTER TABLE usage_tombstone ENABLE TRIGGER USER")
    with pytest.raises(EventsMissing, match=r"1 events of usage-2026-09.jsonl.gz"):
        leave(tmp_path, now)
    assert event.customer_id == acme.row.pk
    assert json.loads(path.read_bytes())["removed_at"] is None
    assert len(live_keys()) == 4


def test_only_one_run_at_a_time(acme: Actor, now: datetime, tmp_path: Path) -> None:
    with connection.copy().cursor() as other:
        other.execute("SELECT pg_advisory_lock(hashtext('weir.archive'))")
        with pytest.raises(ArchiveBusy):
            leave(tmp_path, now)
        other.execute("SELECT pg_advisory_unlock(hashtext('weir.archive'))")
        other.connection.close()
    leave(tmp_path, now)
    assert live_keys() == ["n1"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM usage_event",
        "UPDATE usage_tombstone SET body_digest = key_digest",
        "DELETE FROM usage_tombstone",
        "INSERT INTO usage_tombstone SELECT customer_id, key_digest, key_digest, 0, 0, now() FROM usage_event",
        "UPDATE archived_usage_day SET calls = 0",
        "DELETE FROM archived_usage_day",
    ],
)
def test_what_stands_for_archived_events_is_as_final_as_they_were(
    acme: Actor, now: datetime, tmp_path: Path, statement: str
) -> None:
    leave(tmp_path, now)
    with pytest.raises(DatabaseError, match="usage"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("archive_events", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_says_what_it_will_do_and_what_it_did(acme: Actor, tmp_path: Path) -> None:
    arguments = ["--before", "2026-11-01", "--to", str(tmp_path / "new")]
    with pytest.raises(CommandError, match="say --yes"):
        command(*arguments)
    assert len(live_keys()) == 5
    said = command(*arguments, "--yes")
    assert "2026-09: 2 events to" in said
    (_, second) = manifests(tmp_path / "new")
    assert f"usage-2026-10.jsonl.gz: 2 events, 0.28 credits, 0.000210123 USD, {second.bytes} bytes" in said
    assert "No event is that old." in command(*arguments, "--yes")


def test_the_command_finishes_what_was_interrupted(
    acme: Actor, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_after_the_first_chunk(tmp_path, now, monkeypatch)
    said = command("--before", "2026-09-01", "--to", str(tmp_path), "--yes")
    assert "usage-2026-09.jsonl.gz: interrupted" in said
    assert live_keys() == ["n1", "o1", "o2"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--before", "soon", "--to", "."], "not a date"),
        (["--before", "2999-01-01", "--to", "."], "has not begun yet"),
        (["--before", "2026-01-01", "--to", ".", "--customer", "nobody"], "No customer has the key 'nobody'"),
    ],
)
def test_requests_that_make_no_sense_are_refused(acme: Actor, arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        command(*arguments)
