"""Calls on an account that can be made twice: to the core, as the gate makes them, and to the plain model.

Both answer in the same plain values, so that answers are compared with ==.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from entitlements.core.check import Question
from entitlements.core.decide import BalanceNow
from entitlements.core.record import Recorded, UsageFact
from entitlements.core.runs import Budget
from entitlements.core.settle import HoldNow, LeaseWanted
from entitlements.gate.answers import HOLD_STATUS
from entitlements.gate.calls import (
    AcquireCall,
    Batch,
    Call,
    CheckCall,
    CloseRunCall,
    ExtendCall,
    OpenRunCall,
    SettleCall,
    UsageCall,
    VoidCall,
)
from kernel.errors import Problem
from kernel.ids import key_digest
from tests.properties import plain_decisions
from tests.properties.plain_decisions import Verdict
from tests.properties.plain_model import Hold, PlainAccount, Refused, Run

ACME = 7


class Step(Protocol):
    """One call."""

    def call(self, now: datetime) -> Call:
        """What the gate would run."""

    def read(self, result: Any) -> Any:
        """Its result as plain values."""

    def plainly(self, plain: PlainAccount) -> Any:
        """The same values from the model."""


def outcome_of(step: Step, call: Call, batch: Batch) -> Any:
    """What the core answers."""
    try:
        return step.read(call.run(batch))
    except Problem as problem:
        return problem.code


def plain_outcome_of(step: Step, plain: PlainAccount) -> Any:
    """What the model answers."""
    try:
        return step.plainly(plain)
    except Refused as refused:
        return refused.args[0]


def anybody(_: object) -> None:
    """Authorises everyone."""


@dataclass(frozen=True)
class Ask:
    question: Question

    def call(self, now: datetime) -> Call:
        return CheckCall(anybody, now, "acme", self.question)

    def read(self, result: Any) -> Any:
        answer, hold = result.decided.answer, result.decided.hold
        why = answer.limiting
        return Verdict(
            decision=answer.decision,
            reason=answer.reason,
            model=answer.model,
            needed=answer.needed_microcredits,
            limiting=None if why is None else (why.limit, why.used, why.value, why.run),
            hold=None if hold is None else hold.microcredits,
            balance=balance_of(result.decided.balance),
        )

    def plainly(self, plain: PlainAccount) -> Any:
        return plain_decisions.decide(plain, self.question)


@dataclass(frozen=True)
class Use:
    facts: tuple[UsageFact, ...]

    def call(self, now: datetime) -> Call:
        return UsageCall(anybody, now, [("acme", fact) for fact in self.facts])

    def read(self, result: Any) -> Any:
        return [(recorded(item.result), item.balance and balance_of(item.balance)) for item in result]

    def plainly(self, plain: PlainAccount) -> Any:
        outcomes = [self._one(plain, fact) for fact in self.facts]
        return [(one, None if isinstance(one, str) else plain.balance()) for one in outcomes]

    def _one(self, plain: PlainAccount, fact: UsageFact) -> Any:
        try:
            return plain_decisions.record(plain, fact)
        except Refused as refused:
            return refused.args[0]


@dataclass(frozen=True)
class Settle:
    hold: UUID
    fact: UsageFact
    final: bool

    def call(self, now: datetime) -> Call:
        return SettleCall(anybody, now, ACME, self.hold, [self.fact], final=self.final)

    def read(self, result: Any) -> Any:
        (item,) = result.items
        return recorded(item), hold_now(result.hold)

    def plainly(self, plain: PlainAccount) -> Any:
        hold = plain.hold(self.hold)
        try:
            outcome: Any = plain_decisions.settle(plain, hold, self.fact, final=self.final)
        except Refused as refused:
            outcome = refused.args[0]
        return outcome, plain_hold_now(plain, hold)


@dataclass(frozen=True)
class Void:
    hold: UUID

    def call(self, now: datetime) -> Call:
        return VoidCall(anybody, now, ACME, self.hold)

    def read(self, result: Any) -> Any:
        return hold_now(result)

    def plainly(self, plain: PlainAccount) -> Any:
        hold = plain.hold(self.hold)
        plain.void_hold(hold)
        return plain_hold_now(plain, hold)


@dataclass(frozen=True)
class Lease:
    wanted: LeaseWanted

    def call(self, now: datetime) -> Call:
        return AcquireCall(anybody, now, "acme", self.wanted)

    def read(self, result: Any) -> Any:
        return hold_now(result), result.replayed

    def plainly(self, plain: PlainAccount) -> Any:
        lease, new = plain_decisions.acquire(plain, self.wanted)
        return plain_hold_now(plain, lease), not new


@dataclass(frozen=True)
class Extend:
    hold: UUID
    credits: int
    seconds: int | None

    def call(self, now: datetime) -> Call:
        return ExtendCall(anybody, now, ACME, self.hold, microcredits=self.credits, ttl_seconds=self.seconds)

    def read(self, result: Any) -> Any:
        return hold_now(result), result.hold.expires_at

    def plainly(self, plain: PlainAccount) -> Any:
        lease = plain.hold(self.hold)
        until = None if self.seconds is None else plain.now + timedelta(seconds=self.seconds)
        plain_decisions.extend(plain, lease, self.credits, until)
        return plain_hold_now(plain, lease), lease.deadline


@dataclass(frozen=True)
class OpenRun:
    key: str
    body: UUID
    budget: Budget
    parent: str

    def call(self, now: datetime) -> Call:
        return OpenRunCall(
            anybody,
            now,
            customer="acme",
            key=self.key,
            body_digest=self.body,
            budget=self.budget,
            parent=self.parent,
            user_key="",
        )

    def read(self, result: Any) -> Any:
        return run_now(result.run)

    def plainly(self, plain: PlainAccount) -> Any:
        most = self.budget
        run = Run(
            id=key_digest(f"run:{ACME}:{self.key}"),
            key=self.key,
            body=self.body,
            around=[],
            steps_most=most.max_steps,
            credits_most=most.max_microcredits,
            cost_most=most.max_cost_nanousd,
            depth_most=most.max_depth,
            deadline=most.deadline,
        )
        return plain_run_now(plain, plain.open_run(run, self.parent))


@dataclass(frozen=True)
class CloseRun:
    run: str

    def call(self, now: datetime) -> Call:
        return CloseRunCall(anybody, now, ACME, key_digest(f"run:{ACME}:{self.run}"))

    def read(self, result: Any) -> Any:
        return run_now(result.run)

    def plainly(self, plain: PlainAccount) -> Any:
        run = plain.run(self.run)
        plain.close_run(run)
        return plain_run_now(plain, run)


def balance_of(balance: BalanceNow | Any) -> tuple[int, int, int, int, int]:
    """Posted, held, debt, overage, available."""
    return balance.posted, balance.held, balance.debt, balance.overage, balance.available


def recorded(result: Recorded | Problem) -> Any:
    """Credits, cost, known before, late; or the refusal's code."""
    if isinstance(result, Problem):
        return result.code
    return result.charged_microcredits, result.cost_nanousd, result.duplicate, result.late


def hold_now(now: HoldNow) -> Any:
    return HOLD_STATUS[now.status], now.hold.microcredits, now.settled_microcredits, balance_of(now.balance)


def plain_hold_now(plain: PlainAccount, hold: Hold) -> Any:
    return hold.status, hold.held, hold.settled, plain.balance()


def run_now(run: Any) -> Any:
    """Whether it is open, what it has used, what it holds."""
    return run.status == 1, run.steps, run.charged_microcredits, run.cost_nanousd, run.held_microcredits, run.held_steps


def plain_run_now(plain: PlainAccount, run: Run) -> Any:
    return run.open, run.steps, run.charged, run.cost, *plain.held_in(run)
