"""Going on from where a run ended, and inputs there is no true answer for."""

from datetime import datetime
from typing import Any

import pytest

from entitlements.burndown import BurndownError, Grant, Result, Snapshot, run
from tests.entitlements.burndown_cast import CREDIT, at_start, day, from_the_first, grant, left, used


def test_a_run_goes_on_where_the_last_one_ended() -> None:
    grants = [grant("early"), grant("late", 82, priority=0, effective_at=day(4))]
    events = [used(150, day(2)), used(20, day(5))]
    whole = run(grants, Snapshot.opening(grants, day(1)), events, until=day(7))
    first = run(grants, Snapshot.opening(grants, day(1)), events, until=day(3))
    second = run(grants, first.snapshot, events, until=day(7))
    assert (second.balances, second.overage, second.usage) == (whole.balances, whole.overage, whole.usage)
    assert left(whole) == {"early": 0, "late": 12}


def test_usage_and_what_grants_paid_of_it_accumulate() -> None:
    result = run(
        [grant("g", effective_at=day(-5))],
        at_start(day(1), usage=40, burned=25, g=60),
        [used(10, day(2))],
        until=day(3),
    )
    assert (result.usage, result.total_grant_usage, left(result)) == (50 * CREDIT, 35 * CREDIT, {"g": 50})


def test_overage_from_before_is_paid_without_new_usage() -> None:
    result = run([grant("g", effective_at=day(-5))], at_start(day(1), overage=100, g=100), [], until=day(2))
    assert (result.balance, result.overage, result.usage, result.total_grant_usage) == (0, 0, 0, 100 * CREDIT)


def test_uncovered_usage_is_not_grant_usage() -> None:
    result = from_the_first(events=(used(100, day(2)),), until=day(3))
    assert (result.total_grant_usage, result.balance) == (0, 0)


def test_a_run_can_go_on_from_right_after_a_rollover() -> None:
    filled_up = grant("g", rollover_min=50 * CREDIT, rollover_max=50 * CREDIT)
    reset: dict[str, Any] = {"preserve_overage_at_reset": True}
    events = (used(110, day(2)), used(5, day(6)))
    whole = from_the_first(filled_up, events=events, resets=[day(5)], until=day(7), **reset)
    at_reset = from_the_first(filled_up, events=events, resets=[day(5)], until=day(5), **reset)
    resumed = run([filled_up], at_reset.snapshot, events, until=day(7), **reset)
    for result in (whole, resumed):
        assert (result.usage, result.total_grant_usage, result.usage_since) == (5 * CREDIT, 15 * CREDIT, day(5))
        assert left(result) == {"g": 35}


def test_a_late_event_changes_the_answer_as_if_it_had_come_in_time() -> None:
    grants = [grant("promo", 30, expires_at=day(3)), grant("bought", 50, priority=2)]
    in_time = from_the_first(*grants, events=(used(10, day(2)), used(25, day(4))), until=day(5))
    late = from_the_first(*grants, events=(used(25, day(4)), used(10, day(2))), until=day(5))
    assert in_time == late
    assert left(late) == {"promo": 0, "bought": 25}


def test_a_grant_of_later_needs_no_balance_and_one_that_is_over_no_mention() -> None:
    past, later = grant("past", effective_at=day(-9), expires_at=day(1)), grant("later", effective_at=day(2))
    result = run([past, later], Snapshot(at=day(1), balances={}), [used(1, day(3))], until=day(4))
    assert left(result) == {"later": 99}


def run_of_no_length(start: Snapshot, *grants: Grant) -> Result:
    return run(grants, start, [used(9, start.at)], until=start.at)


def test_a_run_of_no_length_uses_nothing() -> None:
    result = run_of_no_length(at_start(day(3), g=60), grant("g"))
    assert (left(result), result.usage) == ({"g": 60}, 0)


def test_reading_at_a_snapshot_gives_what_the_run_that_made_it_gave() -> None:
    ending = grant("g", expires_at=day(3))
    made = from_the_first(ending, events=(used(40, day(2)),), until=day(3))
    read = run_of_no_length(made.snapshot, ending)
    assert left(made) == left(read) == {"g": 60}


G = grant("g")


@pytest.mark.parametrize(
    ("why", "inputs"),
    [
        ("lacks the balances of grants: \\['g'\\]", {"start": at_start(day(1))}),
        ("unknown grants: \\['other'\\]", {"start": at_start(day(1), g=1, other=1)}),
        ("same id", {"grants": [G, G]}),
        ("cannot be negative", {"start": at_start(day(1), g=-1)}),
        ("cannot be negative", {"start": at_start(day(1), overage=-1, g=1)}),
        ("cannot be negative", {"start": at_start(day(1), burned=-1, g=1)}),
        ("cannot be negative", {"start": at_start(day(1), usage=-1, g=1)}),
        ("usage cannot be negative", {"events": [used(-1, day(2))]}),
        ("before it starts", {"until": day(0)}),
        ("is not after the start", {"resets": [day(1)]}),
        ("by the end", {"resets": [day(10)]}),
    ],
)
def test_inputs_without_a_true_answer_are_refused(why: str, inputs: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"grants": [G], "start": at_start(day(1), g=100), "events": [], "until": day(9)}
    arguments = usual | inputs
    with pytest.raises(BurndownError, match=why):
        run(arguments.pop("grants"), arguments.pop("start"), arguments.pop("events"), **arguments)


def test_the_opening_of_a_grant_that_has_started_is_not_known() -> None:
    with pytest.raises(BurndownError, match="started before"):
        Snapshot.opening([G], day(2))


@pytest.mark.parametrize(
    ("terms", "ends_at"),
    [
        ({}, None),
        ({"expires_at": day(5)}, day(5)),
        ({"voided_at": day(3)}, day(3)),
        ({"expires_at": day(5), "voided_at": day(6)}, day(5)),
        ({"expires_at": day(5), "voided_at": day(3)}, day(3)),
        ({"expires_at": day(5), "voided_at": day(-3)}, day(1)),
    ],
)
def test_when_a_grant_ends(terms: dict[str, datetime], ends_at: datetime | None) -> None:
    assert grant("g", **terms).ends_at == ends_at
