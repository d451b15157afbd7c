"""Runs: one agent execution inside another, each with a budget of its own that its children draw on too."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import msgspec

from entitlements.core import holds
from entitlements.core.account import Account, RunState
from entitlements.core.limits import Limiting
from kernel.errors import Conflict, KeyReused, NotFound
from kernel.ids import key_digest


class RunUnknown(NotFound):
    code = "run_unknown"
    title = "The customer has no such run"


class RunClosed(Conflict):
    code = "run_closed"
    title = "The run is closed"


class RunTooDeep(Conflict):
    code = "run_too_deep"
    title = "A run around this one allows no deeper level"


class Budget(msgspec.Struct, frozen=True):
    """What a run may take. None: as much as the runs around it, the limits and the balance allow."""

    max_steps: int | None = None
    max_microcredits: int | None = None
    max_cost_nanousd: int | None = None
    max_depth: int | None = None
    deadline: datetime | None = None


def open_run(
    account: Account, *, key: str, body_digest: UUID, budget: Budget, parent: str, user_key: str, now: datetime
) -> RunState:
    """Open a run, once per key. Raises KeyReused, RunUnknown, RunClosed, RunTooDeep."""
    known = account.run_named(key)
    if known is not None:
        if known.body_digest != body_digest:
            raise KeyReused(f"run key {key!r} was used before with another body", field="key")
        return known
    above = list(levels(account, find(account, parent))) if parent else []
    for height, level in enumerate(above):
        if level.closed_at is not None:
            raise RunClosed(f"run {level.key!r} is closed", field="parent", run=level.key)
        if level.max_depth is not None and height + 1 > level.max_depth:
            raise RunTooDeep(
                f"run {level.key!r} allows {level.max_depth} levels inside it", field="parent", run=level.key
            )
    state = RunState(
        customer_id=account.customer_id,
        id=key_digest(f"run:{account.customer_id}:{key}"),
        key=key,
        key_digest=key_digest(key),
        body_digest=body_digest,
        ancestors=[level.id for level in reversed(above)],
        user_key=user_key,
        max_steps=budget.max_steps,
        max_microcredits=budget.max_microcredits,
        max_cost_nanousd=budget.max_cost_nanousd,
        max_depth=budget.max_depth,
        deadline=budget.deadline,
        opened_at=now,
    )
    account.runs[state.id] = state
    account.new_runs.append(state)
    return state


def find(account: Account, key: str) -> RunState:
    """The run a key names. Raises RunUnknown."""
    state = account.run_named(key)
    if state is None:
        raise RunUnknown(f"the customer has no run {key!r}", field="run")
    return state


def levels(account: Account, run: RunState) -> Iterator[RunState]:
    """The run and the runs around it, innermost first."""
    yield run
    for ancestor in reversed(run.ancestors):
        yield account.runs[ancestor]


def refusal(
    account: Account, run: RunState, *, microcredits: int | None, cost_nanousd: int | None, now: datetime
) -> tuple[str, Limiting] | None:
    """Why the next step may not happen, and at which level; None when it may."""
    for level in levels(account, run):
        if level.closed_at is not None:
            return "run_closed", _limiting(level, "steps", level.steps, level.steps)
        if level.deadline is not None and now >= level.deadline:
            return "run_budget_exhausted", _limiting(level, "time", 0, 0)
        for unit, used, amount, most in (
            ("steps", level.steps + level.held_steps, 1, level.max_steps),
            ("credits", level.charged_microcredits + level.held_microcredits, microcredits, level.max_microcredits),
            ("cost", level.cost_nanousd, cost_nanousd, level.max_cost_nanousd),
        ):
            # Of what is not known beforehand, at least something must be left.
            if most is not None and used + (1 if amount is None else amount) > most:
                return "run_budget_exhausted", _limiting(level, unit, used, most)
    return None


def count(account: Account, run: RunState, *, steps: int, microcredits: int, cost_nanousd: int) -> None:
    """Count what happened in a run and all its parents."""
    for level in levels(account, run):
        level.steps += steps
        level.charged_microcredits += microcredits
        level.cost_nanousd += cost_nanousd
        account.touch_run(level)


def inside(account: Account, run: RunState) -> list[RunState]:
    """The run and every open run inside it, innermost first."""
    found = [
        state
        for state in account.runs.values()
        if state.closed_at is None and (state is run or run.id in state.ancestors)
    ]
    return sorted(found, key=lambda state: len(state.ancestors), reverse=True)


def close(account: Account, run: RunState, now: datetime) -> None:
    """Close a run and every run inside it, and void what they hold. All open holds and runs must be loaded."""
    closing = inside(account, run)
    for hold_state in holds.open_holds(account, [level.id for level in closing]):
        holds.void(account, hold_state, now)
    for level in closing:
        level.status, level.closed_at = 2, now
        account.touch_run(level)


def _limiting(level: RunState, unit: str, used: int, value: int) -> Limiting:
    return Limiting(limit=f"run.{unit}", scope="run", unit=unit, used=used, value=value, resets_at=None, run=level.key)
