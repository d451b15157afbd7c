"""Simulations: asked, run by a worker customer by customer, gone on with after a crash, and compared."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time
from typing import Any, Final

import msgspec
import structlog
from django.db import connection, transaction
from django.db.models import F

from entitlements.models import Balance, Customer
from entitlements.services.accounts import opened_one
from kernel.errors import Conflict, InvalidInput, NotFound, Problem
from margins.models import Simulation, SimulationRow
from margins.period import MAX_DAYS
from margins.queries.margins import Dimension, Scope, margin_rows
from margins.queries.replay import Span, archived_calls, calls_of, starts_of, whom
from margins.queries.simulations import totals_of
from margins.simulation.outcome import Outcome
from margins.simulation.rules import Candidates, Kind, Rules
from margins.simulation.scenario import Scenario
from margins.simulation.start import Start
from margins.simulation.walk import simulate_customer
from margins.units import FEMTO_PER_NANO
from metering.costing import Override
from metering.models import CostCard
from metering.rerating.scope import draft_card, published_cards
from plans import catalogue as plans_catalogue
from plans.catalogue import Catalogue
from plans.models import PlanVersion, RateCardVersion
from plans.services.candidates import plan_terms, rate_card_terms
from plans.terms import PlanTerms, RateCardTerms

log = structlog.get_logger("weir.simulations")

_CHUNK_CALLS: Final = 20_000
_CHUNK_CUSTOMERS: Final = 200
"""Customers done in one transaction: progress moves, and a crash loses, no more than that."""

Went = Callable[[int], None]
"""Told how many more calls have been replayed."""


class SimulationUnknown(NotFound):
    code = "simulation_unknown"
    title = "There is no such simulation"


class SimulationNotDone(Conflict):
    code = "simulation_not_done"
    title = "The simulation has no result yet"


def ask(scenario: Scenario, *, name: str, author: str, now: datetime) -> Simulation:
    """Store a question for a worker to answer. Raises InvalidInput for a scenario that makes no sense."""
    if scenario.ends_on <= scenario.starts_on:
        raise InvalidInput("must be later than from", field="to")
    if (scenario.ends_on - scenario.starts_on).days > MAX_DAYS:
        raise InvalidInput(f"must be at most {MAX_DAYS} days after from", field="to")
    since = datetime.combine(scenario.starts_on, time.min, UTC)
    until = min(datetime.combine(scenario.ends_on, time.min, UTC), now)
    if until <= since:
        raise InvalidInput("has not begun yet", field="from")
    known = set(Customer.objects.filter(key__in=scenario.customers).values_list("key", flat=True))
    for key in scenario.customers:
        if key not in known:
            raise InvalidInput(f"no customer has the key {key!r}", field="customers")
    _rules(scenario)
    span = Span(since, until)
    return Simulation.objects.create(
        name=name.strip() or "Simulation",
        author=author,
        scenario=msgspec.to_builtins(scenario),
        since=since,
        until=until,
        total_calls=sum(calls for _, calls in whom(span, scenario.customers)),
        archived_calls=archived_calls(span, scenario.customers),
        created_at=now,
    )


def run_waiting(clock: Callable[[], datetime]) -> int:
    """Answer every question that waits, and those a worker left behind. Returns how many were answered."""
    answered = 0
    open_states = [Simulation.State.WAITING, Simulation.State.RUNNING]
    for simulation_id in list(
        Simulation.objects.filter(state__in=open_states).order_by("id").values_list("id", flat=True)
    ):
        answered += run(simulation_id, clock) is not None
    return answered


def run(simulation_id: int, clock: Callable[[], datetime], went: Went = lambda _: None) -> Simulation | None:
    """Answer a question, from where it was left; None while another process is at it, or when it is answered.

    What is wrong with the scenario by now (a draft that is gone) becomes the simulation's `problem`.
    """
    with _alone(simulation_id) as alone:
        simulation = Simulation.objects.filter(pk=simulation_id).first()
        if simulation is None:
            raise SimulationUnknown(f"there is no simulation {simulation_id}")
        if not alone or simulation.finished_at is not None:
            return None
        Simulation.objects.filter(pk=simulation_id).update(state=Simulation.State.RUNNING)
        try:
            _replay(simulation, clock(), went)
        except Problem as problem:
            _finish(simulation_id, Simulation.State.FAILED, clock(), problem=problem.detail)
        except Exception:
            log.exception("simulation_failed", simulation=simulation_id)
            _finish(simulation_id, Simulation.State.FAILED, clock(), problem="Something went wrong on our side.")
            raise
        else:
            _finish(simulation_id, Simulation.State.DONE, clock(), totals=totals_of(simulation_id))
        simulation.refresh_from_db()
        return simulation


def scenario_of(simulation: Simulation) -> Scenario:
    """The question as a value."""
    return msgspec.convert(simulation.scenario, Scenario)


def _replay(simulation: Simulation, now: datetime, went: Went) -> None:
    scenario = scenario_of(simulation)
    rules, span = _rules(scenario), Span(simulation.since, simulation.until)
    kinds: dict[str, dict[bytes, Kind]] = {}
    rest = [each for each in whom(span, scenario.customers) if each[0] > simulation.cursor_customer_id]
    for chunk in _chunks(rest):
        _bring_up_to_date(chunk, now)
        with transaction.atomic():
            outcomes = list(_outcomes(chunk, rules, span, kinds))
            _save(simulation.pk, chunk, outcomes, scenario, span)
            replayed = sum(outcome.real.calls for outcome in outcomes)
            Simulation.objects.filter(pk=simulation.pk).update(
                cursor_customer_id=chunk[-1], done_calls=F("done_calls") + replayed
            )
        went(replayed)


def _outcomes(
    customer_ids: Sequence[int], rules: Rules, span: Span, kinds: dict[str, dict[bytes, Kind]]
) -> Iterator[Outcome]:
    starts = starts_of(customer_ids, rules, span)

    def outcome(start: Start, calls: Sequence[bytes]) -> Outcome:
        known = kinds.setdefault(start.currency, {})
        return simulate_customer(rules, start, calls, kinds=known, since=span.since, until=span.until)

    for customer_id, calls in calls_of(list(starts), span):
        yield outcome(starts.pop(customer_id), calls)
    # The others made no call; their subscriptions earn and their credits expire all the same.
    yield from (outcome(start, ()) for start in starts.values())


def _save(
    simulation_id: int, customer_ids: Sequence[int], outcomes: Sequence[Outcome], scenario: Scenario, span: Span
) -> None:
    real: dict[str, dict[str, int]] = {}
    for row in margin_rows(Scope(scenario.starts_on, span.end_day, customer_ids), [Dimension.CUSTOMER], now=span.until):
        earned = {kind.value: femto // FEMTO_PER_NANO for kind, femto in row.margin.own.revenue.items()}
        real[str(row.key[0])] = earned
    SimulationRow.objects.bulk_create(
        [_row(simulation_id, outcome, real.get(outcome.key, {})) for outcome in outcomes if _matters(outcome, real)]
    )


def _matters(outcome: Outcome, real: dict[str, dict[str, int]]) -> bool:
    return bool(outcome.real.calls or any(outcome.revenue_nano.values()) or any(real.get(outcome.key, {}).values()))


def _row(simulation_id: int, outcome: Outcome, real_revenue: dict[str, int]) -> SimulationRow:
    done, refused = outcome.simulated, outcome.refused
    first = min(outcome.hits.items(), key=lambda hit: (hit[1].first_at, hit[0]), default=None)
    hits = [
        {"limit": name, "first_at": hit.first_at.isoformat(), "calls": hit.calls}
        for name, hit in sorted(outcome.hits.items())
    ]
    return SimulationRow(
        simulation_id=simulation_id,
        customer_id=outcome.customer_id,
        customer_key=outcome.key,
        currency=outcome.currency,
        plan=outcome.plan,
        real_calls=outcome.real.calls,
        real_microcredits=outcome.real.microcredits,
        real_cost_nanousd=outcome.real.cost_nanousd,
        real_revenue_nano=sum(real_revenue.values()),
        calls=done.calls,
        microcredits=done.microcredits,
        cost_nanousd=done.cost_nanousd,
        revenue_nano=sum(outcome.revenue_nano.values()),
        unpriced_calls=done.unpriced,
        unrated_calls=done.unrated,
        moved_calls=outcome.moved,
        downgraded_calls=outcome.downgraded,
        refused_calls=refused.calls,
        lost_microcredits=refused.microcredits,
        saved_nanousd=refused.cost_nanousd,
        debt_microcredits=outcome.debt,
        first_limit=first[0] if first else "",
        first_limit_at=first[1].first_at if first else None,
        details={"real_revenue": real_revenue, "revenue": outcome.revenue_nano, "limits": hits},
    )


def _bring_up_to_date(customer_ids: Sequence[int], now: datetime) -> None:
    """Write renewals and expiries that are due: how a customer stood is read from what is written."""
    due = Balance.objects.filter(customer_id__in=customer_ids, valid_until__lte=now).values_list(
        "customer_id", flat=True
    )
    for key in Customer.objects.filter(id__in=list(due)).order_by("id").values_list("key", flat=True):
        with opened_one(key, now=now):
            pass


def _chunks(customers: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    chunk: list[int] = []
    calls = 0
    for customer_id, theirs in customers:
        if chunk and (calls + theirs > _CHUNK_CALLS or len(chunk) >= _CHUNK_CUSTOMERS):
            yield chunk
            chunk, calls = [], 0
        chunk.append(customer_id)
        calls += theirs
    if chunk:
        yield chunk


def _finish(simulation_id: int, state: Simulation.State, now: datetime, **result: Any) -> None:
    Simulation.objects.filter(pk=simulation_id).update(state=state, finished_at=now, **result)


def _rules(scenario: Scenario) -> Rules:
    """The scenario with its candidates read. Raises InvalidInput naming what is not there."""
    with connection.cursor() as cursor:
        catalogue = plans_catalogue.load(cursor)
    _check_moves(scenario, catalogue)
    known_plans = {plan.plan_key for plan in catalogue.plans.values()}
    for key in scenario.instead_of:
        if key not in known_plans:
            raise InvalidInput(f"no plan {key!r} was ever on sale", field="instead_of")
    if scenario.instead_of and scenario.plan_version_id is None:
        raise InvalidInput("needs a plan to be sold instead", field="instead_of")
    return Rules(
        catalogue,
        Candidates(
            scenario=scenario,
            plan=_plan(scenario, catalogue),
            rate_card=_rate_card(scenario),
            cost_cards=_cost_cards(scenario),
            published_cost_cards=published_cards(),
        ),
    )


def _plan(scenario: Scenario, catalogue: Catalogue) -> PlanTerms | None:
    if scenario.plan_version_id is None:
        return None
    if scenario.plan_version_id in catalogue.plans:
        return catalogue.plans[scenario.plan_version_id]
    version = PlanVersion.objects.filter(pk=scenario.plan_version_id).select_related("plan").first()
    if version is None:
        raise InvalidInput(f"there is no plan version {scenario.plan_version_id}", field="plan_version")
    return plan_terms(version)


def _rate_card(scenario: Scenario) -> RateCardTerms | None:
    if scenario.rate_card_version_id is None:
        return None
    version = RateCardVersion.objects.filter(pk=scenario.rate_card_version_id).select_related("card").first()
    if version is None:
        raise InvalidInput(f"there is no rate card version {scenario.rate_card_version_id}", field="rate_card_version")
    return rate_card_terms(version)


def _cost_cards(scenario: Scenario) -> tuple[Override, ...]:
    found = {card.pk: card for card in CostCard.objects.filter(pk__in=scenario.cost_card_ids)}
    for card_id in scenario.cost_card_ids:
        if card_id not in found:
            raise InvalidInput(f"there is no cost card {card_id}", field="cost_cards")
    return tuple(override for card_id in scenario.cost_card_ids for override in draft_card(found[card_id]))


def _check_moves(scenario: Scenario, catalogue: Catalogue) -> None:
    for number, move in enumerate(scenario.moves):
        if move.target not in catalogue.models:
            raise InvalidInput(
                f"no model of the catalogue has the key {move.target!r}", field=f"moves[{number}].target_model"
            )
        if move.feature is not None and move.feature not in catalogue.features:
            raise InvalidInput(f"there is no feature {move.feature!r}", field=f"moves[{number}].feature")


@contextmanager
def _alone(simulation_id: int) -> Iterator[bool]:
    """Whether this process is the only one at this simulation. The lock goes with the connection."""
    which = ("weir.simulation", simulation_id % 2**31)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s), %s)", which)
        (alone,) = cursor.fetchone()
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s), %s)", which)
