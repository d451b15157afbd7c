"""Asking, running, going on after a crash: a question is answered once, and what makes no sense is refused."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from moneyed import Money

from kernel.errors import InvalidInput
from kernel.usage import Usage
from margins.models import Simulation, SimulationRow
from margins.queries.simulations import compared, stored_totals
from margins.services import simulations
from margins.services.simulations import SimulationUnknown, ask, run, run_waiting
from margins.simulation.calls import instant, kind_of, microseconds, rest_of, usage_of
from margins.simulation.scenario import ModelMove, Scenario
from plans.models import PlanVersion
from tests.accounts import fact
from tests.margins.simulation.conftest import LATER, NOVEMBER, Simulate, row
from tests.margins.simulation.test_scenarios import THOUSAND, draft
from tests.world import Actor, World, in_parallel

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def three(world: World) -> None:
    for key in ("a", "b", "c"):
        Actor(key, START, world.pro).uses(fact(f"{key}1", at=START, usage=THOUSAND), fact(f"{key}2", at=START))


def asked(**scenario: Any) -> Simulation:
    return ask(Scenario(**(NOVEMBER | scenario)), name="what if", author="ann", now=LATER)


def clock() -> datetime:
    return LATER


def test_a_question_waits_until_a_worker_answers_it_and_is_answered_once(three: None) -> None:
    made = asked()
    assert (made.state, made.total_calls, made.percent) == ("waiting", 6, 0)
    assert run_waiting(clock) == 1
    made.refresh_from_db()
    assert (made.state, made.done_calls, made.percent, made.finished_at) == ("done", 6, 100, LATER)
    (total,) = stored_totals(made)
    assert (total.customers, total.real.calls, total.simulated.calls, total.real) == (3, 6, 6, total.simulated)
    assert total.real.margin_nano == 3 * 29 * 10**9 - total.real.cost_nanousd
    assert run_waiting(clock) == 0
    assert run(made.pk, clock) is None


def test_a_crash_in_the_middle_is_gone_on_from(three: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulations, "_CHUNK_CUSTOMERS", 1)
    whole = asked()
    run(whole.pk, clock)
    made = asked()

    def crash(count: int) -> None:
        if SimulationRow.objects.filter(simulation=made).count() == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(made.pk, clock, crash)
    made.refresh_from_db()
    assert (made.state, made.done_calls, made.percent) == ("running", 4, 66)
    assert run_waiting(clock) == 1
    made.refresh_from_db()
    whole.refresh_from_db()
    assert (made.state, made.done_calls, made.totals) == ("done", 6, whole.totals)


def test_what_has_gone_wrong_meanwhile_is_told(three: None, world: World) -> None:
    version = draft(world)
    made = asked(plan_version_id=version.pk)
    version.entitlements.all().delete()
    version.delete()
    done = run(made.pk, clock)
    assert done is not None
    assert (done.state, done.problem) == (
        "failed",
        f"there is no plan version {version.pk or made.scenario['plan_version_id']}",
    )


def test_a_bug_fails_the_run_and_is_not_swallowed(three: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **parts: Any) -> Iterator[Any]:
        raise RuntimeError("no")

    monkeypatch.setattr(simulations, "simulate_customer", broken)
    made = asked()
    with pytest.raises(RuntimeError):
        run(made.pk, clock)
    made.refresh_from_db()
    assert (made.state, made.problem) == ("failed", "Something went wrong on our side.")


@pytest.mark.django_db(transaction=True)
def test_two_workers_answer_a_question_once(three: None) -> None:
    made = asked()
    outcomes = in_parallel(4, lambda number: run(made.pk, clock))
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert len([outcome for outcome in outcomes if outcome is not None]) == 1
    assert SimulationRow.objects.count() == 3


REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("to", {"ends_on": date(2026, 11, 1)}, "later than from"),
    ("to", {"ends_on": date(2028, 11, 1)}, "at most 366 days"),
    ("from", {"starts_on": date(2027, 1, 1), "ends_on": date(2027, 2, 1)}, "has not begun"),
    ("plan_version", {"plan_version_id": 0x7FFFFFFF}, "no plan version"),
    ("rate_card_version", {"rate_card_version_id": 0x7FFFFFFF}, "no rate card version"),
    ("cost_cards", {"cost_card_ids": (0x7FFFFFFF,)}, "no cost card"),
    ("customers", {"customers": ("nobody",)}, "no customer has the key"),
    ("instead_of", {"instead_of": ("pro",)}, "needs a plan"),
    ("instead_of", {"instead_of": ("nothing",)}, "ever on sale"),
    ("moves[0].target_model", {"moves": (ModelMove(source="gpt-4o", target="x"),)}, "no model"),
    (
        "moves[0].feature",
        {"moves": (ModelMove(source="gpt-4o", target="gpt-4o-mini", feature="x"),)},
        "no feature",
    ),
]


@pytest.mark.parametrize(("field", "scenario", "why"), REFUSALS, ids=[f"{each[0]} {each[2]}" for each in REFUSALS])
def test_a_question_that_makes_no_sense_is_refused(
    world: World, field: str, scenario: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidInput, match=why) as refused:
        asked(**scenario)
    assert refused.value.field == field
    assert not Simulation.objects.exists()


def test_there_is_nothing_to_run_that_was_not_asked(db: None) -> None:
    with pytest.raises(SimulationUnknown):
        run(1, clock)


def test_only_the_customers_asked_for_are_replayed(three: None, simulate: Simulate) -> None:
    done = simulate(customers=("b",))
    assert (done.total_calls, [each.customer_key for each in done.rows.all()]) == (2, ["b"])


def test_two_runs_are_compared_by_customer(three: None, world: World, simulate: Simulate) -> None:
    one = simulate()
    other = simulate(plan_version_id=draft(world, price=Money("19", "USD")).pk, customers=("a", "b"))
    rows = compared(one, other)
    assert [(each.customer, each.difference) for each in rows] == [
        ("c", row(one, "c").cost_nanousd - 29 * 10**9), ("a", -(10**10)), ("b", -(10**10)),
    ]  # fmt: skip


def test_a_run_changes_nothing_of_what_is(three: None, simulate: Simulate) -> None:
    def counts() -> list[int]:
        tables = ("usage_event", "usage_day", "ledger_entry", "credit_grant", "cost_adjustment", "outbox_message")
        with connection.cursor() as cursor:
            found = []
            for table in tables:
                cursor.execute(f"SELECT count(*) FROM {table}")
                found.append(cursor.fetchone()[0])
        return found

    simulate(now=START.replace(day=2), ends_on=date(2026, 11, 2))
    before = counts()
    simulate(now=START.replace(day=2), ends_on=date(2026, 11, 2))
    assert counts() == before
    assert PlanVersion.objects.count() == 2


def test_awkward_names_survive_the_reading(world: World, simulate: Simulate) -> None:
    names = "tab\there back\\slash line\nend \x1f ü"
    usage = Usage(input_tokens=1_000, output_tokens=5, input_audio_tokens=3, web_searches=2)
    Actor("a", START, world.pro).uses(
        fact("odd", at=START, model=names, provider="x\ty", user_key=names, usage=usage, stated_microcredits=7)
    )
    seen: list[tuple[Any, ...]] = []
    read: Callable[..., Any] = simulations.calls_of

    def spy(*args: Any) -> Iterator[Any]:
        for customer_id, lines in read(*args):
            for line in lines:
                _, kind, at, charged, _, rest = line.split(b"\t", 5)
                seen.append((kind_of(kind), instant(int(at)), int(charged), rest_of(rest), usage_of(rest)))
            yield customer_id, lines

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulations, "calls_of", spy)
        simulate()
    ((kind, at, charged, rest, counts),) = seen
    assert (kind.reported_model, kind.provider, kind.stated, rest.user_key) == (
        names.replace("\x1f", " "), "x\ty", True, names,
    )  # fmt: skip
    assert (at, charged, counts) == (START, 7, usage)
    assert instant(microseconds(LATER)) == LATER
