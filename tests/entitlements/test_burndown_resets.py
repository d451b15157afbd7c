"""Usage periods: what rolls over, and whether overage is carried."""

from datetime import datetime

import pytest

from entitlements.burndown import Grant, run
from kernel.recurrence import Recurrence
from tests.entitlements.burndown_cast import (
    CREDIT,
    at_start,
    burned,
    day,
    from_the_first,
    grant,
    left,
    opens_with,
    used,
)


@pytest.mark.parametrize(
    ("terms", "used_before", "kept"),
    [
        ({"rollover_max": 50}, 10, 50),
        ({"rollover_max": 50}, 70, 30),
        ({"rollover_max": 0}, 10, 0),
        ({}, 10, 90),
        ({"rollover_min": 40}, 95, 40),
        ({"rollover_min": 40, "rollover_max": 60}, 10, 60),
        ({"rollover_min": 40, "rollover_max": 60}, 50, 50),
        ({"rollover_min": 40, "rollover_max": 0}, 10, 0),
    ],
)
def test_what_stays_of_a_grant_at_a_reset(terms: dict[str, int], used_before: float, kept: float) -> None:
    limited = grant("g", **{name: credits_ * CREDIT for name, credits_ in terms.items()})
    result = from_the_first(limited, events=(used(used_before, day(2)),), resets=[day(5)], until=day(9))
    assert left(result) == {"g": kept}


def test_a_reset_starts_a_new_usage_period_and_is_told_as_three_segments() -> None:
    result = from_the_first(
        grant("g", rollover_max=50 * CREDIT), events=(used(10, day(2)), used(7, day(6))), resets=[day(5)], until=day(9)
    )
    before, rollover, after = result.segments
    assert (before.ends_with_reset, before.kind, before.end) == (True, "usage", day(5))
    assert (rollover.kind, rollover.start, rollover.end, rollover.grant_usages) == ("rollover", day(5), day(5), ())
    assert [opens_with(segment) for segment in result.segments] == [{"g": 100}, {"g": 50}, {"g": 50}]
    assert (after.ends_with_reset, burned(after)) == (False, [("g", 7, "SEGMENT_TERMINATION")])
    assert (result.usage, result.usage_since, result.total_grant_usage) == (7 * CREDIT, day(5), 7 * CREDIT)


@pytest.mark.parametrize(("preserve", "balance"), [(True, 25), (False, 40)])
def test_overage_is_carried_over_a_reset_only_if_asked(preserve: bool, balance: float) -> None:
    filled_up = grant("g", rollover_min=40 * CREDIT)
    result = from_the_first(
        filled_up, events=(used(115, day(2)),), resets=[day(5)], until=day(9), preserve_overage_at_reset=preserve
    )
    assert (left(result), result.overage, result.usage) == ({"g": balance}, 0, 0)
    assert result.segments[0].overage == 15 * CREDIT
    assert burned(result.segments[1]) == ([("g", 15, "SEGMENT_TERMINATION")] if preserve else [])
    assert result.total_grant_usage == (15 * CREDIT if preserve else 0)


def test_overage_too_large_for_the_rollover_waits_for_the_next_grant() -> None:
    first, second = grant("first", rollover_max=0), grant("second", 60, effective_at=day(7))
    result = from_the_first(
        first, second, events=(used(120, day(2)),), resets=[day(5)], until=day(9), preserve_overage_at_reset=True
    )
    assert [segment.overage for segment in result.segments] == [20 * CREDIT, 20 * CREDIT, 20 * CREDIT, 0]
    assert left(result) == {"first": 0, "second": 40}


def test_reset_after_reset() -> None:
    result = from_the_first(
        grant("g", rollover_max=50 * CREDIT),
        events=(used(10, day(2)), used(30, day(6)), used(5, day(8))),
        resets=[day(7), day(5)],
        until=day(9),
    )
    assert left(result) == {"g": 15}
    assert [segment.kind for segment in result.segments] == ["usage", "rollover", "usage", "rollover", "usage"]
    assert (result.usage, result.usage_since) == (5 * CREDIT, day(7))


def test_without_a_reset_the_usage_period_goes_on() -> None:
    later = grant("later", effective_at=day(3))
    start = at_start(day(1), usage=10, g=100)
    result = run([grant("g"), later], start, [used(10, day(2))], until=day(5))
    assert (result.usage, result.usage_since) == (20 * CREDIT, day(1))
    assert [segment.ends_with_reset for segment in result.segments] == [False, False]


# A reset that meets something else ----------------------------------------------------------------


def test_a_reset_at_the_very_end_reads_as_the_new_period() -> None:
    result = from_the_first(
        grant("g", rollover_max=50 * CREDIT), events=(used(10, day(2)),), resets=[day(9)], until=day(9)
    )
    assert (left(result), result.usage, result.usage_since) == ({"g": 50}, 0, day(9))
    assert [(segment.kind, segment.ends_with_reset) for segment in result.segments] == [
        ("usage", True),
        ("rollover", False),
        ("usage", False),
    ]


@pytest.mark.parametrize("until", [day(5), day(5.5)])
def test_a_grant_that_recurs_with_the_reset_is_full_after_it(until: datetime) -> None:
    daily = grant("g", recurrence=Recurrence("day", day(1)), rollover_max=0)
    result = from_the_first(daily, events=(used(10, day(2)),), resets=[day(5)], until=until)
    before, rollover, after = result.segments[-3:]
    assert (before.ended_by_recurrence, opens_with(rollover), opens_with(after)) == ((), {"g": 0}, {"g": 100})
    assert left(result) == {"g": 100}


@pytest.mark.parametrize(
    ("filled_at_the_reset", "used_before", "balance", "overage"),
    [
        (grant("g", recurrence=Recurrence("day", day(1)), rollover_min=70 * CREDIT), 220, 0, 20),
        (grant("g", effective_at=day(5), rollover_min=70 * CREDIT), 20, 80, 0),
    ],
    ids=["recurs", "starts"],
)
def test_a_balance_the_reset_replaces_anyway_does_not_forgive_overage(
    filled_at_the_reset: Grant, used_before: float, balance: float, overage: float
) -> None:
    """Burned from what rolls over, the overage would vanish when that is replaced by a full grant."""
    result = run(
        [filled_at_the_reset],
        at_start(day(4), g=100),
        [used(used_before, day(4.5))],
        resets=[day(5)],
        until=day(5.5),
        preserve_overage_at_reset=True,
    )
    assert (left(result), result.overage) == ({"g": balance}, overage * CREDIT)


def test_a_grant_that_ends_with_the_period_does_not_roll_over() -> None:
    result = from_the_first(
        grant("g", expires_at=day(5), rollover_min=40 * CREDIT),
        events=(used(10, day(2)),),
        resets=[day(5)],
        until=day(9),
    )
    assert [opens_with(segment) for segment in result.segments] == [{"g": 100}, {"g": 0}, {"g": 0}]


def test_a_grant_that_starts_with_the_period_has_nothing_to_roll_over() -> None:
    old, new = grant("old"), grant("new", effective_at=day(5), rollover_min=40 * CREDIT)
    result = from_the_first(old, new, events=(used(10, day(2)),), resets=[day(5)], until=day(9))
    assert [opens_with(segment) for segment in result.segments] == [
        {"old": 100, "new": 0},
        {"old": 90, "new": 0},
        {"old": 90, "new": 100},
    ]
    assert [segment.priority_change for segment in result.segments] == [False, False, False]
