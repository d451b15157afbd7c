"""The demo company is invented the same way each time, and looks like real traffic."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median

import pytest

from demo import distributions as sizes
from demo.agents import DEEPEST
from demo.cast import CAST, members
from demo.company import Company, company
from demo.distributions import Quantiles, Rhythm, draw
from kernel.usage import check

UNTIL = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def small() -> Company:
    return company(UNTIL, customers=40, days=30, events=8000, seed=1)


def test_the_same_seed_is_the_same_company_and_another_is_another(small: Company) -> None:
    assert small == company(UNTIL, customers=40, days=30, events=8000, seed=1)
    assert small.calls != company(UNTIL, customers=40, days=30, events=8000, seed=2).calls


def test_it_makes_as_many_calls_as_asked_each_under_its_own_key(small: Company) -> None:
    assert len(small.calls) == 8000
    assert len({call.fact.key for call in small.calls}) == 8000
    assert {call.customer for call in small.calls} == {member.key for member in CAST}


def test_calls_happen_before_they_are_received_and_while_the_customer_is_there(small: Company) -> None:
    lives = {life.member.key: life for life in small.lives}
    received = [call.received_at for call in small.calls]
    assert received == sorted(received)
    for call in small.calls:
        life = lives[call.customer]
        assert small.start <= life.joined_at <= call.fact.occurred_at <= call.received_at < (life.left_at or UNTIL)


def test_every_call_counts_consistently(small: Company) -> None:
    for call in small.calls:
        check(call.fact.usage)


def test_some_calls_are_late_batched_memoised_cached_thought_about_or_of_an_unheard_of_model(small: Company) -> None:
    facts = [call.fact for call in small.calls]
    late = [call for call in small.calls if call.received_at - call.fact.occurred_at > timedelta(hours=15)]
    assert 5 < len(late) < 200
    assert any(fact.processing == "batch" for fact in facts)
    assert any(fact.memoised for fact in facts)
    assert any(fact.usage.cache_read_tokens for fact in facts)
    assert any(fact.usage.reasoning_tokens for fact in facts)
    assert 0 < sum(fact.provider == "cirrus" for fact in facts) < 100
    assert len({fact.provider for fact in facts}) == 4


def test_a_runaway_agent_takes_hundreds_of_steps_where_others_take_a_few(small: Company) -> None:
    steps: dict[str, Counter[str]] = {"runaway": Counter(), "others": Counter()}
    for call in company(UNTIL, customers=40, days=30, events=40_000, seed=1).calls:
        if call.fact.run_key:
            outermost = call.fact.run_key.partition(".")[0]
            steps["runaway" if call.customer == "hungry-otter-games" else "others"][outermost] += 1
    assert max(steps["runaway"].values()) > 200
    assert median(steps["others"].values()) < 15


def test_agents_start_agents_in_runs_that_are_open_while_they_are_called(small: Company) -> None:
    runs = {(run.customer, run.key): run for run in small.runs}
    assert {run.key.count(".") for run in small.runs} == set(range(DEEPEST))
    assert {key for call in small.calls if (key := call.fact.run_key)} == {key for _, key in runs}
    for call in small.calls:
        if run := runs.get((call.customer, call.fact.run_key)):
            assert run.opened_at <= call.fact.occurred_at <= call.received_at <= run.closed_at
    for run in small.runs:
        if run.parent:
            around = runs[run.customer, run.parent]
            assert around.opened_at <= run.opened_at <= run.closed_at <= around.closed_at


def test_people_sleep_and_have_weekends(small: Company) -> None:
    offsets = {life.member.key: life.member.utc_offset for life in small.lives}
    there = [call.fact.occurred_at + timedelta(hours=offsets[call.customer]) for call in small.calls]
    at_night = sum(time.hour in {0, 1, 2, 3, 4} for time in there)
    in_the_morning = sum(time.hour in {8, 9, 10, 11, 12} for time in there)
    assert at_night < in_the_morning / 5
    weekend = sum(time.weekday() >= 5 for time in there)
    assert weekend / 2 < (len(there) - weekend) / 5 * 0.6


@pytest.mark.parametrize(
    "table",
    [
        sizes.CONVERSATION_INPUT,
        sizes.CONVERSATION_OUTPUT,
        sizes.COMPLETION_INPUT,
        sizes.COMPLETION_OUTPUT,
        sizes.LONG_INPUT,
        sizes.LONG_OUTPUT,
    ],
)
def test_sizes_fall_as_the_published_quantiles_do(table: Quantiles) -> None:
    random = Random(7)
    drawn = sorted(draw(table, random) for _ in range(40_000))
    for percent, tokens in table[1:-1]:
        assert drawn[len(drawn) * percent // 100] == pytest.approx(tokens, rel=0.1)
    assert table[0][1] <= drawn[0] <= drawn[-1] <= table[-1][1]


def test_a_rhythm_draws_only_within_what_it_is_asked_for() -> None:
    start = UNTIL - timedelta(days=2)
    rhythm = Rhythm(start, 48, utc_offset=3)
    since, until = start + timedelta(hours=7.5), start + timedelta(hours=9.25)
    drawn = [rhythm.draw(Random(number), since, until) for number in range(500)]
    assert all(since - timedelta(seconds=1) <= at < until for at in drawn)
    assert rhythm.share(start, UNTIL) == pytest.approx(1)


def test_a_larger_company_has_further_customers_and_no_two_of_a_name() -> None:
    many = members(300)
    assert len({member.key for member in many}) == 300
    assert members(3) == list(CAST[:3])


def test_a_short_past_keeps_its_stories_in_scale() -> None:
    week = company(UNTIL, customers=40, days=7, events=500, seed=1)
    assert week.start == UNTIL - timedelta(days=7)
    moved = next(life for life in week.lives if life.moves_at is not None)
    assert week.start < moved.moves_at < UNTIL  # type: ignore[operator]
    assert len(week.calls) == 500
