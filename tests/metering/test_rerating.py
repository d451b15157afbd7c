"""A re-rating moves what past usage cost by adjustments: exactly, on its own days, once, and back again."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from access.services.api_keys import create_key
from kernel.errors import InvalidInput
from kernel.usage import Usage
from metering.archive import archive_events
from metering.models import CostAdjustment, CostCard, Rerating, UsageDay, UsageEvent, UsageMonth
from metering.rerating import applying
from metering.rerating.applying import (
    ReratingBuiltUpon,
    ReratingBusy,
    ReratingNotApplied,
    ReratingUnknown,
    apply,
    resume,
    undo,
)
from metering.rerating.preview import preview
from metering.rerating.scope import Scope
from metering.rollups import differences
from tests.accounts import fact
from tests.world import Actor, World, in_parallel

WHOLE = Scope(starts_on=date(2026, 10, 1), ends_on=date(2026, 12, 1))
WHY = {"reason": "invoice 7 says otherwise", "author": "fin"}
MILLION_IN = Usage(input_tokens=1_000_000)


def card(model: str, dollars: str, *, since: datetime, **parts: Any) -> CostCard:
    """A published card: so many dollars per million tokens, in and out alike."""
    made = CostCard.objects.create(model=model, effective_from=since, **parts)
    for kind in ("input_tokens", "output_tokens"):
        made.rates.create(kind=kind, rate_nanousd_per_million=int(float(dollars) * 10**9))
    made.status, made.published_at = CostCard.Status.PUBLISHED, since
    made.save()
    return made


def costs() -> dict[str, tuple[int, int, int]]:
    """Each day's (cost in thousandths of a dollar, unpriced calls, calls)."""
    days: dict[str, tuple[int, int, int]] = {}
    for day in UsageDay.objects.order_by("day"):
        before = days.get(str(day.day), (0, 0, 0))
        part = (day.cost_nanousd // 10**6, day.unpriced_calls, day.calls)
        days[str(day.day)] = (before[0] + part[0], before[1] + part[1], before[2] + part[2])
    return days


def rollups() -> list[dict[str, Any]]:
    return [row for model in (UsageDay, UsageMonth) for row in sorted(model.objects.values(), key=str)]


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def acme(world: World, now: datetime) -> Actor:
    """Two days at a dollar per million, an unpriced call, a call its provider priced, and a memoised one."""
    card("gpt-4o-mini", "1", since=now - timedelta(days=300))
    actor = Actor("acme", now, world.pro)
    actor.uses(
        fact("d1", at=now - timedelta(days=2), usage=MILLION_IN),
        fact("d2", at=now - timedelta(days=1), usage=MILLION_IN, user_key="ann"),
        fact("halo", at=now - timedelta(days=1), usage=MILLION_IN, model="halo-1", provider="cirrus"),
        fact("told", at=now, usage=MILLION_IN, reported_cost_nanousd=7 * 10**8),
        fact("memo", at=now, usage=MILLION_IN, memoised=True),
    )
    return actor


def test_a_corrected_card_moves_its_own_calls_and_no_other(acme: Actor, now: datetime) -> None:
    """The worked table: $1 becomes $1.50 from the 14th on, halo-1 costs $4; the provider's own figure stands."""
    assert costs() == {"2026-11-13": (1000, 0, 1), "2026-11-14": (1000, 1, 2), "2026-11-15": (700, 0, 2)}
    card("gpt-4o-mini", "1.5", since=datetime.combine(now.date() - timedelta(days=1), datetime.min.time(), now.tzinfo))
    card("halo-1", "4", since=now - timedelta(days=90))
    done = apply(WHOLE, **WHY, now=now)
    assert costs() == {"2026-11-13": (1000, 0, 1), "2026-11-14": (5500, 0, 2), "2026-11-15": (700, 0, 2)}
    assert (done.state, done.examined_calls, done.moved_calls, done.priced_calls) == ("applied", 4, 3, 1)
    assert done.delta_nanousd == 4_500_000_000
    assert list(differences()) == []
    assert UsageDay.objects.get(day="2026-11-15").computed_cost_nanousd == 1_500_000_000
    by_key = {row.key_digest: row for row in CostAdjustment.objects.all()}
    events = {event.key: event for event in UsageEvent.objects.all()}
    moved = {key: by_key[event.key_digest].delta_nanousd for key, event in events.items() if event.key_digest in by_key}
    assert moved == {"d2": 500_000_000, "halo": 4_000_000_000, "told": 0}
    assert (events["d2"].cost_nanousd, events["halo"].cost_nanousd) == (1_000_000_000, None)
    assert by_key[events["halo"].key_digest].priced == 1


def test_what_is_previewed_is_what_moves_and_nothing_has_moved_by_looking(acme: Actor, now: datetime) -> None:
    before = rollups()
    draft = CostCard.objects.create(model="gpt-4o-mini", effective_from=now - timedelta(days=90))
    draft.rates.create(kind="input_tokens", rate_nanousd_per_million=2 * 10**9)
    seen = preview(WHOLE, draft=draft)
    assert rollups() == before
    assert (seen.examined, seen.still_unpriced, seen.total.calls, seen.total.newly_priced) == (4, 1, 3, 0)
    assert (seen.total.before, seen.total.after) == (2_700_000_000, 4_700_000_000)
    assert {key: moved.delta for key, moved in seen.by["day"].items()} == {
        "2026-11-13": 10**9, "2026-11-14": 10**9, "2026-11-15": 0,
    }  # fmt: skip
    assert seen.by["customer"]["acme"].calls == 3
    assert set(seen.by["model"]) == {"gpt-4o-mini"}
    draft.status, draft.published_at = CostCard.Status.PUBLISHED, now
    draft.save()
    assert apply(WHOLE, **WHY, now=now).delta_nanousd == seen.total.delta


def test_an_undo_takes_back_exactly_what_was_moved(acme: Actor, now: datetime) -> None:
    before = rollups()
    card("gpt-4o-mini", "1.5", since=now - timedelta(days=90))
    card("halo-1", "4", since=now - timedelta(days=90))
    done = apply(WHOLE, **WHY, now=now)
    assert rollups() != before
    undone = undo(done.pk, reason="it was the wrong invoice", author="boss", now=now)
    assert rollups() == before
    assert list(differences()) == []
    assert (undone.state, undone.undone_by, undone.undone_at) == ("undone", "boss", now)
    assert sum(row.delta_nanousd for row in CostAdjustment.objects.all()) == 0
    with pytest.raises(ReratingNotApplied):
        undo(done.pk, reason="again", author="boss", now=now)
    assert apply(WHOLE, **WHY, now=now).delta_nanousd == done.delta_nanousd


def test_applying_it_again_moves_nothing(acme: Actor, now: datetime) -> None:
    card("gpt-4o-mini", "1.5", since=now - timedelta(days=90))
    apply(WHOLE, **WHY, now=now)
    moved = rollups()
    again = apply(WHOLE, **WHY, now=now)
    assert (again.moved_calls, again.delta_nanousd, rollups()) == (0, 0, moved)


def test_only_the_scope_moves(acme: Actor, world: World, now: datetime) -> None:
    other = Actor("other", now, world.pro)
    other.uses(fact("e1", at=now, usage=MILLION_IN))
    card("gpt-4o-mini", "3", since=now - timedelta(days=90))
    card("halo-1", "4", since=now - timedelta(days=90))

    def moved(**scope: Any) -> int:
        parts = {"starts_on": WHOLE.starts_on, "ends_on": WHOLE.ends_on} | scope
        return preview(Scope(**parts)).total.delta // 10**9

    assert moved() == 2 + 2 + 4 + 2
    assert moved(customer_id=other.row.pk) == 2
    assert moved(model="halo-1") == moved(unpriced_only=True) == 4
    assert moved(starts_on=date(2026, 11, 14), ends_on=date(2026, 11, 15)) == 6
    assert (
        apply(Scope(starts_on=WHOLE.starts_on, ends_on=WHOLE.ends_on, unpriced_only=True), **WHY, now=now).moved_calls
        == 1
    )
    assert moved(unpriced_only=True) == 0
    assert moved() == 6


def test_later_events_are_priced_when_they_come_and_stay(acme: Actor, now: datetime) -> None:
    card("gpt-4o-mini", "1.5", since=now - timedelta(days=90))
    apply(WHOLE, **WHY, now=now)
    acme.uses(fact("late", at=now - timedelta(days=2), usage=MILLION_IN), now=now)
    assert costs()["2026-11-13"] == (3000, 0, 2)
    assert apply(WHOLE, **WHY, now=now).moved_calls == 0
    assert list(differences()) == []


def test_corrections_build_on_each_other_and_go_back_in_reverse(acme: Actor, now: datetime) -> None:
    card("gpt-4o-mini", "1.5", since=now - timedelta(days=90))
    first = apply(WHOLE, **WHY, now=now)
    between = rollups()
    card("gpt-4o-mini", "1.2", since=now - timedelta(days=80))
    second = apply(WHOLE, **WHY, now=now)
    assert second.delta_nanousd == -600_000_000
    with pytest.raises(ReratingBuiltUpon, match=str(second.pk)):
        undo(first.pk, reason="no", author="fin", now=now)
    undo(second.pk, reason="no", author="fin", now=now)
    assert rollups() == between
    undo(first.pk, reason="no", author="fin", now=now)
    assert list(differences()) == []


def test_what_a_call_made_inside_cost_is_kept(acme: Actor, now: datetime) -> None:
    """A stamp may hold more than the call's own tokens at its card: what is beside them does not move."""
    from entitlements.core.record import InnerCall

    inner = InnerCall("gpt-4o-mini", "openai", Usage(input_tokens=500_000))
    acme.uses(fact("nest", at=now, usage=MILLION_IN, model="halo-1", provider="cirrus", inner=(inner,)))
    card("halo-1", "4", since=now - timedelta(days=90))
    acme.uses(fact("nest2", at=now, usage=MILLION_IN, model="halo-1", provider="cirrus", inner=(inner,)))
    assert UsageEvent.objects.get(key="nest2").cost_nanousd == 4_500_000_000
    card("halo-1", "5", since=now - timedelta(days=80))
    apply(WHOLE, **WHY, now=now)
    moved = CostAdjustment.objects.get(key_digest=UsageEvent.objects.get(key="nest2").key_digest)
    assert moved.delta_nanousd == 10**9


def test_a_crash_between_batches_is_gone_on_from(acme: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.uses(*(fact(f"e{number}", at=now - timedelta(hours=number), usage=MILLION_IN) for number in range(1, 6)))
    card("gpt-4o-mini", "1.5", since=now - timedelta(days=90))
    whole = preview(WHOLE).total
    monkeypatch.setattr(applying, "BATCH", 2)

    def crash(count: int) -> None:
        if Rerating.objects.get().examined_calls >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(WHOLE, **WHY, now=now, went=crash)
    half = Rerating.objects.get()
    assert (half.state, half.examined_calls) == ("applying", 4)
    assert list(differences()) == []
    with pytest.raises(ReratingBusy, match="interrupted"):
        apply(WHOLE, **WHY, now=now)
    card("gpt-4o-mini", "9", since=now - timedelta(days=30))
    done = resume(half.pk, now=now)
    assert (done.state, done.moved_calls, done.delta_nanousd) == ("applied", whole.calls, whole.delta)
    assert list(differences()) == []
    with pytest.raises(ReratingNotApplied):
        resume(half.pk, now=now)


def test_an_undo_that_was_cut_off_is_finished_and_a_half_done_one_can_be_taken_back(
    acme: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rollups()
    card("gpt-4o-mini", "1.5", since=now - timedelta(days=90))
    monkeypatch.setattr(applying, "BATCH", 1)

    def crash(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(WHOLE, **WHY, now=now, went=crash)
    half = Rerating.objects.get()
    undo(half.pk, reason="enough", author="fin", now=now)
    assert rollups() == before
    done = apply(WHOLE, **WHY, now=now)
    with pytest.raises(KeyboardInterrupt):
        undo(done.pk, reason="no", author="fin", now=now, went=crash)
    assert rollups() != before
    assert resume(done.pk, now=now).state == "undone"
    assert rollups() == before


def test_what_makes_no_sense_is_refused(acme: Actor, now: datetime) -> None:
    with pytest.raises(InvalidInput):
        apply(WHOLE, reason=" ", author="fin", now=now)
    with pytest.raises(InvalidInput):
        apply(Scope(starts_on=date(2026, 11, 2), ends_on=date(2026, 11, 2)), **WHY, now=now)
    with pytest.raises(ReratingUnknown):
        undo(1, reason="why not", author="fin", now=now)
    with pytest.raises(ReratingUnknown):
        resume(1, now=now)


def test_adjustments_are_never_edited(acme: Actor, now: datetime) -> None:
    card("gpt-4o-mini", "1.5", since=now - timedelta(days=90))
    apply(WHOLE, **WHY, now=now)
    for change in (
        lambda: CostAdjustment.objects.update(delta_nanousd=1),
        lambda: CostAdjustment.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_refused_and_usage_goes_on(now: datetime) -> None:
    card("gpt-4o-mini", "1", since=now - timedelta(days=300))
    acme = Actor("acme", now, World().pro)
    acme.uses(*(fact(f"e{number}", at=now - timedelta(hours=number), usage=MILLION_IN) for number in range(20)))
    card("gpt-4o-mini", "2", since=now - timedelta(days=90))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('weir.rerating'))")

    def do(number: int) -> object:
        if number == 0:
            return apply(WHOLE, **WHY, now=now)
        return acme.uses(fact(f"n{number}", at=now, usage=MILLION_IN))

    outcomes = in_parallel(4, do)
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [ReratingBusy]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(hashtext('weir.rerating'))")
    outcomes = in_parallel(8, lambda number: do(number * 10))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert list(differences()) == []
    assert sum(day.cost_nanousd for day in UsageDay.objects.all()) == (20 + 3 + 7) * 2 * 10**9


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("rerate", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_looks_applies_lists_and_undoes(acme: Actor, now: datetime) -> None:
    card("gpt-4o-mini", "1.5", since=now - timedelta(days=90))
    period = ("--from", "2026-11-01", "--to", "2026-12-01")
    said = command(*period)
    assert "4 calls looked at, 3 move: 2.7 → 3.7 USD (+1), 0 of them had no cost." in said
    assert "  customer acme: 3 calls, 2.7 → 3.7 (+1)" in said
    assert "  day 2026-11-13: 1 calls, 1 → 1.5 (+0.5)" in said
    assert "1 calls stay unpriced" in said
    assert not Rerating.objects.exists()
    said = command(*period, "--apply", "--reason", "invoice 7", "--author", "fin", "--yes")
    made = Rerating.objects.get()
    assert f"#{made.pk} applied: 2026-11-01 up to 2026-12-01, 3 of 4 calls moved by +1 USD, by fin: invoice 7" in said
    said = command("--undo", str(made.pk), "--reason", "wrong", "--author", "boss")
    assert "undone by boss: wrong" in said
    assert command("--list") == said
    for arguments, why in (
        (("--customer", "nobody"), "No customer"),
        ((), "Say which days"),
        (("--from", "2026-11-02", "--to", "2026-11-01"), "later than"),
        ((*period, "--apply"), "Say --reason"),
        ((*period, "--draft", "0"), "no draft cost card"),
        (("--undo", "0", "--reason", "x", "--author", "x"), "no re-rating 0"),
    ):
        with pytest.raises(CommandError, match=why):
            command(*arguments)


def test_archived_usage_keeps_its_cost_and_what_was_corrected_can_still_be_undone(
    acme: Actor, now: datetime, tmp_path: Path
) -> None:
    card("gpt-4o-mini", "1.5", since=now - timedelta(days=90))
    before = rollups()
    done = apply(Scope(starts_on=date(2026, 11, 13), ends_on=date(2026, 11, 14)), **WHY, now=now)
    archive_events(
        before=now - timedelta(hours=1), directory=tmp_path, customer_id=None, now=now, moved=lambda stage, count: None
    )
    assert list(differences()) == []
    seen = preview(WHOLE)
    assert (seen.examined, seen.archived.calls, seen.archived.unpriced_calls) == (1, 3, 1)
    assert "3 calls of these days are archived and keep their cost (1 of them without one)" in command(
        "--from", "2026-11-01", "--to", "2026-12-01"
    )
    undo(done.pk, reason="no", author="fin", now=now)
    assert rollups() == before
    assert list(differences()) == []


@pytest.fixture
def read(db: None, now: datetime) -> Callable[[str], Any]:
    _, token = create_key("reader", ("read",), now)
    return lambda path: Client(headers={"authorization": f"Bearer {token}"}).get(f"/v1{path}")


def test_the_api_tells_what_was_corrected_why_and_by_whom(
    acme: Actor, now: datetime, read: Callable[[str], Any]
) -> None:
    card("gpt-4o-mini", "1.5", since=now - timedelta(days=90))
    done = apply(Scope(starts_on=WHOLE.starts_on, ends_on=WHOLE.ends_on, customer_id=acme.row.pk), **WHY, now=now)
    (listed,) = read("/reratings").json()["data"]
    assert {name: listed[name] for name in ("id", "state", "reason", "author", "customer", "from", "delta_usd")} == {
        "id": done.pk, "state": "applied", "reason": WHY["reason"], "author": "fin", "customer": "acme",
        "from": "2026-10-01", "delta_usd": "1",
    }  # fmt: skip
    told = read(f"/reratings/{done.pk}").json()
    assert told["days"] == [
        {"name": "2026-11-13", "calls": 1, "priced_calls": 0, "delta_usd": "0.5"},
        {"name": "2026-11-14", "calls": 1, "priced_calls": 0, "delta_usd": "0.5"},
        {"name": "2026-11-15", "calls": 1, "priced_calls": 0, "delta_usd": "0"},
    ]
    assert told["customers"] == [{"name": "acme", "calls": 3, "priced_calls": 0, "delta_usd": "1"}]
    assert [line["name"] for line in told["models"]] == ["gpt-4o-mini"]
    refused = read("/reratings/999")
    assert (refused.status_code, refused.json()["code"]) == (404, "rerating_unknown")


def test_staff_see_a_correction_and_cannot_change_it(acme: Actor, now: datetime) -> None:
    card("gpt-4o-mini", "1.5", since=now - timedelta(days=90))
    done = apply(WHOLE, **WHY, now=now)
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("boss", password="not-a-secret-here"))
    listed = client.get("/admin/metering/rerating/").content.decode()
    assert WHY["reason"] in listed
    page = client.get(f"/admin/metering/rerating/{done.pk}/change/").content.decode()
    assert "2026-11-13: 1 calls, 0.5 USD" in page
    assert "acme: 3 calls, 1 USD" in page
    assert client.post(f"/admin/metering/rerating/{done.pk}/change/", {"reason": "x"}).status_code == 403
