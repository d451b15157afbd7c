"""Grants that start, end and recur while they are used."""

from datetime import datetime, timedelta

import pytest

from entitlements.burndown import run
from kernel.recurrence import Recurrence
from tests.entitlements.burndown_cast import at_start, burned, day, from_the_first, grant, left, opens_with, used

DAILY = Recurrence("P1D", day(1))


def test_without_grants_all_usage_is_overage() -> None:
    result = from_the_first(events=(used(7, day(3)),), until=day(31))
    assert (result.balances, result.overage, result.usage) == ({}, 7_000_000, 7_000_000)
    assert [(segment.usage, segment.overage) for segment in result.segments] == [(7_000_000, 7_000_000)]


def test_one_grant_after_the_other() -> None:
    promo, bought = grant("promo", 30, priority=1), grant("bought", 50, priority=2)
    result = from_the_first(bought, promo, events=(used(20, day(2)), used(15, day(3))), until=day(4))
    assert left(result) == {"promo": 0, "bought": 45}
    assert burned(result.segments[0]) == [("promo", 30, "EXHAUSTED"), ("bought", 5, "SEGMENT_TERMINATION")]


def test_usage_counts_from_the_first_instant_and_not_at_the_last() -> None:
    tick = timedelta(microseconds=1)
    events = [used(1, day(5) - tick), used(10, day(5)), used(20, day(6) - tick), used(40, day(6))]
    result = run([grant("g")], at_start(day(5), g=100), events, until=day(6))
    assert (left(result), result.usage) == ({"g": 70}, 30_000_000)


def test_nothing_is_rounded() -> None:
    result = from_the_first(grant("g", 1), events=tuple(used(0.000001, day(2)) for _ in range(3)), until=day(3))
    assert result.balances == {"g": 999_997}


# Starting -----------------------------------------------------------------------------------------


def test_a_grant_pays_the_overage_from_before_it_started() -> None:
    result = from_the_first(
        grant("g", 60, effective_at=day(4)), events=(used(25, day(2)), used(10, day(5))), until=day(6)
    )
    before, after = result.segments
    assert (opens_with(before), before.overage, before.priority_change) == ({"g": 0}, 25_000_000, True)
    assert (opens_with(after), after.overage_at_start, after.overage) == ({"g": 60}, 25_000_000, 0)
    assert burned(after) == [("g", 35, "SEGMENT_TERMINATION")]
    assert left(result) == {"g": 25}


def test_a_grant_of_the_future_holds_nothing_yet_whatever_the_snapshot_says() -> None:
    later = grant("later", effective_at=day(20))
    result = run([later], at_start(day(1), later=100), [used(5, day(2))], until=day(10))
    assert (left(result), result.overage) == ({"later": 0}, 5_000_000)


def test_a_grant_that_starts_with_the_run_is_full() -> None:
    """A snapshot holds what was before its instant; the grant starts at it."""
    result = run([grant("g", effective_at=day(5))], at_start(day(5), g=95), [], until=day(6))
    assert left(result) == {"g": 100}


def test_a_grant_that_starts_at_the_end_is_left_to_the_next_run() -> None:
    assert left(from_the_first(grant("g", effective_at=day(5)), until=day(5))) == {"g": 0}


# Ending -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end", [{"expires_at": day(3)}, {"voided_at": day(3)}, {"voided_at": day(3), "expires_at": day(9)}]
)
def test_a_grant_pays_until_it_ends(end: dict[str, datetime]) -> None:
    tick = timedelta(microseconds=1)
    result = from_the_first(grant("g", **end), events=(used(30, day(3) - tick), used(8, day(3))), until=day(10))
    assert (left(result), result.overage) == ({"g": 0}, 8_000_000)
    assert [segment.usage for segment in result.segments] == [30_000_000, 8_000_000]
    assert [opens_with(segment) for segment in result.segments] == [{"g": 100}, {"g": 0}]
    assert result.total_grant_usage == 30_000_000


def test_what_is_left_at_the_very_end_of_the_run_is_still_told() -> None:
    result = from_the_first(grant("g", expires_at=day(10)), events=(used(40, day(2)),), until=day(10))
    assert left(result) == {"g": 60}
    assert [segment.priority_change for segment in result.segments] == [False]


@pytest.mark.parametrize("end", [day(1), day(-3)])
def test_a_grant_that_ended_by_the_start_pays_nothing(end: datetime) -> None:
    old = grant("old", effective_at=day(-8), expires_at=end)
    result = run([old], at_start(day(1), old=100), [used(8, day(2))], until=day(5))
    assert (left(result), result.overage) == ({"old": 0}, 8_000_000)


def test_a_grant_voided_before_it_started_never_pays() -> None:
    result = from_the_first(grant("g", effective_at=day(4), voided_at=day(2)), events=(used(8, day(5)),), until=day(6))
    assert (left(result), result.overage) == ({"g": 0}, 8_000_000)


def test_several_grants_coming_and_going_cut_the_time_where_they_do() -> None:
    base = grant("base", priority=3, effective_at=day(2))
    sprint = grant("sprint", priority=1, effective_at=day(4), expires_at=day(8))
    extra = grant("extra", priority=2, effective_at=day(6))
    result = from_the_first(
        base, sprint, extra, events=(used(10, day(3)), used(20, day(7)), used(30, day(9))), until=day(10)
    )
    assert [segment.end for segment in result.segments] == [day(2), day(4), day(6), day(8), day(10)]
    assert left(result) == {"base": 90, "sprint": 0, "extra": 70}
    assert [burned(segment)[0][:2] for segment in result.segments if segment.usage] == [
        ("base", 10),
        ("sprint", 20),
        ("extra", 30),
    ]


# Recurring ----------------------------------------------------------------------------------------


def test_a_recurrence_replaces_what_was_left() -> None:
    result = from_the_first(
        grant("g", recurrence=DAILY), events=(used(30, day(1.5)), used(5, day(2.5))), until=day(2.9)
    )
    assert left(result) == {"g": 95}
    first, second = result.segments
    assert (first.ended_by_recurrence, first.priority_change) == (("g",), False)
    assert (opens_with(second), second.ended_by_recurrence) == ({"g": 100}, ())


def test_a_recurrence_pays_the_overage_of_the_day_before() -> None:
    result = from_the_first(grant("g", recurrence=DAILY), events=(used(130, day(1.5)),), until=day(2.5))
    assert (left(result), result.overage) == ({"g": 70}, 0)


@pytest.mark.parametrize(("until", "balance"), [(day(3.9), 40), (day(4), 100), (day(4.1), 100)])
def test_at_the_instant_of_its_recurrence_a_grant_reads_full(until: datetime, balance: float) -> None:
    """One hundred a day: 100, 90 and 60 used. What was burned stays counted through every refill."""
    events = (used(100, day(1.5)), used(90, day(2.5)), used(60, day(3.5)))
    result = from_the_first(grant("g", recurrence=DAILY), events=events, until=until)
    assert left(result) == {"g": balance}
    assert result.total_grant_usage == result.usage == 250_000_000


def test_the_instant_of_renewal_is_not_renewed_twice() -> None:
    """130 used, 100 there: the refill at midnight pays 30, and the next run must not fill it up again."""
    daily = grant("g", recurrence=DAILY)
    at_midnight = from_the_first(daily, events=(used(130, day(1.5)),), until=day(2))
    assert (left(at_midnight), at_midnight.overage) == ({"g": 70}, 0)
    assert at_midnight.segments[-1].start == at_midnight.segments[-1].end == day(2)
    later = run([daily], at_midnight.snapshot, [], until=day(2.5))
    assert (left(later), later.overage) == ({"g": 70}, 0)


def test_the_anchor_sets_the_phase_before_and_after_itself() -> None:
    weekly = grant("g", effective_at=day(2), recurrence=Recurrence("week", day(20)))
    result = from_the_first(weekly, events=(used(40, day(3)), used(25, day(7))), until=day(12))
    assert [segment.end for segment in result.segments] == [day(2), day(6), day(12)]
    assert left(result) == {"g": 75}


def test_a_grant_does_not_recur_before_it_starts() -> None:
    daily = grant("g", effective_at=day(3.5), recurrence=DAILY)
    result = from_the_first(daily, events=(used(40, day(3.8)), used(25, day(4.5))), until=day(4.9))
    assert [segment.end for segment in result.segments] == [day(3.5), day(4), day(4.9)]
    assert left(result) == {"g": 75}


def test_a_grant_does_not_recur_once_it_has_ended() -> None:
    daily = grant("g", recurrence=DAILY, expires_at=day(3))
    result = from_the_first(daily, events=(used(100, day(1.5)), used(100, day(2.5)), used(1, day(3.5))), until=day(6))
    assert (left(result), result.overage, result.total_grant_usage) == ({"g": 0}, 1_000_000, 200_000_000)
    assert [segment.end for segment in result.segments] == [day(2), day(3), day(6)]


def test_grants_that_recur_and_change_at_one_instant_share_it() -> None:
    daily, other = grant("daily", 10, recurrence=DAILY), grant("other", 20, recurrence=DAILY, priority=2)
    late = grant("late", 5, effective_at=day(2), priority=3)
    result = from_the_first(daily, other, late, events=(used(31, day(1.5)),), until=day(2.5))
    first, second = result.segments
    assert (first.ended_by_recurrence, first.priority_change, first.overage) == (("daily", "other"), True, 1_000_000)
    assert opens_with(second) == {"daily": 10, "other": 20, "late": 5}
    assert burned(second)[0] == ("daily", 1, "SEGMENT_TERMINATION")


def test_a_month_that_recurs_on_the_31st() -> None:
    monthly = grant(
        "g",
        effective_at=datetime.fromisoformat("2026-01-31T00:00Z"),
        recurrence=Recurrence("month", datetime.fromisoformat("2026-01-31T00:00Z")),
    )
    start = datetime.fromisoformat("2026-02-27T00:00Z")
    result = run([monthly], at_start(start, g=3), [], until=day(31))
    assert [segment.start.date().isoformat() for segment in result.segments] == [
        "2026-02-27",
        "2026-02-28",
        "2026-03-31",
    ]
