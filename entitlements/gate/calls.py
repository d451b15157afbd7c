"""Every kind of call the gate runs: what it needs loaded, and what it does to the loaded accounts."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from entitlements.core import holds, runs
from entitlements.core.account import Account, RunState
from entitlements.core.check import Question
from entitlements.core.decide import BalanceNow, Decided, balance_of, decide, state_of
from entitlements.core.limits import Shared
from entitlements.core.record import Recorded, UsageFact, record_usage
from entitlements.core.runs import Budget
from entitlements.core.settle import HoldNow, LeaseWanted, acquire, as_it_is, extend, hold_of, settle
from entitlements.services.problems import CustomerUnknown
from entitlements.store.accounts import Wanted
from entitlements.store.reference import Reference
from kernel.errors import Problem
from kernel.ids import new_id
from kernel.sql_files import Statement, write
from metering.events import EventRow

Authorize = Callable[[Reference], None]
"""Raises NotAuthenticated or ScopeMissing. Asked again with the reference data a batch is decided on,
so that a key revoked a moment ago decides nothing."""


class DecisionRow(msgspec.Struct, frozen=True):
    """A decision to keep, as a row of `decision`."""

    customer_id: int
    id: UUID
    decided_at: datetime
    decision: str
    reason: str
    revision: int
    question: Question
    account: Any
    answer: Decided


class Batch:
    """The accounts of a batch, what they are decided from, and what is to be written beside them."""

    def __init__(self, by_id: dict[int, Account], reference: Reference, now: datetime, shared: Shared) -> None:
        self._by_id = by_id
        self._by_key = {account.key: account for account in by_id.values()}
        self.reference = reference
        self.now = now
        self.shared = shared
        self.events: list[EventRow] = []
        self.decisions: list[DecisionRow] = []

    @property
    def accounts(self) -> Iterable[Account]:
        """All of them."""
        return self._by_id.values()

    def account(self, customer: str | int) -> Account:
        """The account of a customer's key or id. Raises CustomerUnknown."""
        account = self._by_id.get(customer) if isinstance(customer, int) else self._by_key.get(customer)
        if account is None:
            raise CustomerUnknown(f"no customer has the key {customer!r}", field="customer")
        return account

    def keep(self, recorded: Recorded) -> Recorded:
        """Remember to store the event, if it is new."""
        if recorded.row is not None:
            self.events.append(recorded.row)
        return recorded

    def decision(self, account: Account, question: Question, state: Any, decided: Decided) -> DecisionRow:
        """The record of a decision, with what it was decided from."""
        return DecisionRow(
            account.customer_id,
            # A hold's decision has the hold's id, so that one leads to the other.
            decided.hold.id if decided.hold else new_id(),
            self.now,
            decided.answer.decision,
            decided.answer.reason,
            self.reference.revision,
            question,
            state,
            decided,
        )

    def records(self) -> list[Statement]:
        """The statements that store the decisions."""
        if not self.decisions:
            return []
        return [write("entitlements", "insert_decisions", self.decisions)]


class Call(ABC):
    """A call waiting for its batch."""

    def __init__(self, authorize: Authorize, now: datetime) -> None:
        self.authorize = authorize
        self.now = now

    @abstractmethod
    def wants(self, wanted: Wanted) -> None:
        """Name what is to be loaded."""

    @abstractmethod
    def run(self, batch: Batch) -> Any:
        """Do it. Raises Problem, which refuses this call alone."""


class CatchUpCall(Call):
    """Store what has happened to an account by itself. Ours, so it needs no key."""

    def __init__(self, customer_id: int, now: datetime) -> None:
        super().__init__(lambda _: None, now)
        self.customer_id = customer_id

    def wants(self, wanted: Wanted) -> None:
        wanted[self.customer_id]

    def run(self, batch: Batch) -> None:
        """Loading has brought the account up to date; saving stores it."""


class CheckCall(Call):
    """A check; with a hold in its question it writes."""

    def __init__(self, authorize: Authorize, now: datetime, customer: str, question: Question) -> None:
        super().__init__(authorize, now)
        self.customer, self.question = customer, question

    def wants(self, wanted: Wanted) -> None:
        wants = wanted[self.customer]
        wants.scope(self.question.user_key, self.question.run_key)
        if self.question.hold is not None:
            wants.hold_digests.add(self.question.hold.key_digest)

    def run(self, batch: Batch) -> "Checked":
        self.authorize(batch.reference)
        account = batch.account(self.customer)
        reference = batch.reference
        holds_credits = self.question.hold is not None
        before = state_of(account, batch.shared) if holds_credits else None
        decided = decide(account, self.question, reference.catalogue, reference.costs, batch.now, batch.shared)
        if decided.replayed:
            return Checked(decided, None)
        if holds_credits:
            record = batch.decision(account, self.question, before, decided)
            batch.decisions.append(record)
            return Checked(decided, record, stored=True)
        if decided.answer.decision == "allow":
            return Checked(decided, None)
        # Nothing was moved, so the account is still what it was decided from.
        return Checked(decided, batch.decision(account, self.question, state_of(account, batch.shared), decided))


class Checked(msgspec.Struct, frozen=True):
    """A decision and its record, which a check that wrote nothing else has still to store."""

    decided: Decided
    record: DecisionRow | None
    stored: bool = False

    @property
    def decision_id(self) -> tuple[int, UUID] | None:
        """The record's (customer id, id); a hold's is the hold's own, also when it is replayed."""
        if self.decided.hold is not None:
            return self.decided.hold.customer_id, self.decided.hold.id
        return None if self.record is None else (self.record.customer_id, self.record.id)


class ItemOutcome(msgspec.Struct, frozen=True):
    """What became of one reported action, and the customer's balance after the request."""

    result: Recorded | Problem
    model: str | None
    balance: BalanceNow | None


class UsageCall(Call):
    """The readable items of one request, each with its customer's key."""

    def __init__(self, authorize: Authorize, now: datetime, items: Sequence[tuple[str, UsageFact]]) -> None:
        super().__init__(authorize, now)
        self.items = items

    def wants(self, wanted: Wanted) -> None:
        for customer, fact in self.items:
            wants = wanted[customer]
            wants.events.add(fact.key_digest)
            wants.scope(fact.user_key, fact.run_key)

    def run(self, batch: Batch) -> list[ItemOutcome]:
        self.authorize(batch.reference)
        results = [self._record(batch, customer, fact) for customer, fact in self.items]
        return [
            _outcome(batch, result, customer, fact)
            for result, (customer, fact) in zip(results, self.items, strict=True)
        ]

    def _record(self, batch: Batch, customer: str, fact: UsageFact) -> Recorded | Problem:
        reference = batch.reference
        try:
            account = batch.account(customer)
            return batch.keep(record_usage(account, fact, reference.catalogue, reference.costs, batch.now))
        except Problem as problem:
            return problem


def _outcome(batch: Batch, result: Recorded | Problem, customer: str, fact: UsageFact) -> ItemOutcome:
    if isinstance(result, Problem):
        return ItemOutcome(result, None, None)
    return ItemOutcome(result, _model(fact.model, fact.provider, batch.reference), balance_of(batch.account(customer)))


def _model(reported: str, provider: str, reference: Reference) -> str | None:
    model = reference.catalogue.resolve_model(reported, provider) if reported else None
    return model.key if model else reported or None


class HoldCall(Call):
    """A call on one hold or lease, named by its public id."""

    def __init__(self, authorize: Authorize, now: datetime, customer_id: int, hold_id: UUID) -> None:
        super().__init__(authorize, now)
        self.customer_id, self.hold_id = customer_id, hold_id

    def wants(self, wanted: Wanted) -> None:
        wanted[self.customer_id].hold_ids.add(self.hold_id)

    def account(self, batch: Batch) -> Account:
        """The hold's account. A made-up id names no hold. Raises HoldUnknown."""
        self.authorize(batch.reference)
        try:
            account = batch.account(self.customer_id)
        except CustomerUnknown:
            raise holds.HoldUnknown("there is no such hold") from None
        hold_of(account, self.hold_id)
        return account


class Settled(msgspec.Struct, frozen=True):
    """What settling came to: one result per item, and the hold afterwards."""

    items: Sequence[Recorded | Problem]
    hold: HoldNow


class SettleCall(HoldCall):
    """Settle a hold once, or in parts; or a lease with many actions."""

    def __init__(
        self,
        authorize: Authorize,
        now: datetime,
        customer_id: int,
        hold_id: UUID,
        facts: Sequence[UsageFact],
        *,
        final: bool,
    ) -> None:
        super().__init__(authorize, now, customer_id, hold_id)
        self.facts, self.final = facts, final

    def wants(self, wanted: Wanted) -> None:
        super().wants(wanted)
        wanted[self.customer_id].events.update(fact.key_digest for fact in self.facts)

    def run(self, batch: Batch) -> Settled:
        account = self.account(batch)
        items = [self._settle(batch, account, fact) for fact in self.facts]
        return Settled(items, as_it_is(account, hold_of(account, self.hold_id)))

    def _settle(self, batch: Batch, account: Account, fact: UsageFact) -> Recorded | Problem:
        reference = batch.reference
        lease = hold_of(account, self.hold_id).is_lease
        try:
            return batch.keep(
                settle(
                    account,
                    self.hold_id,
                    fact,
                    reference.catalogue,
                    reference.costs,
                    batch.now,
                    final=self.final,
                    calls=int(self.final or lease),
                )
            )
        except Problem as problem:
            return problem


class VoidCall(HoldCall):
    """Void a hold, or release a lease: what is left of it is given back."""

    def run(self, batch: Batch) -> HoldNow:
        account = self.account(batch)
        hold = hold_of(account, self.hold_id)
        replayed = holds.void(account, hold, batch.now)
        return as_it_is(account, hold, replayed=replayed)


class AcquireCall(Call):
    """Acquire a lease."""

    def __init__(self, authorize: Authorize, now: datetime, customer: str, lease: LeaseWanted) -> None:
        super().__init__(authorize, now)
        self.customer, self.lease = customer, lease

    def wants(self, wanted: Wanted) -> None:
        wanted[self.customer].hold_digests.add(self.lease.key_digest)

    def run(self, batch: Batch) -> HoldNow:
        self.authorize(batch.reference)
        account = batch.account(self.customer)
        lease, new = acquire(account, self.lease, batch.reference.catalogue, batch.now)
        return as_it_is(account, lease, replayed=not new)


class ExtendCall(HoldCall):
    """Give a lease more credits, more time, or both."""

    def __init__(
        self,
        authorize: Authorize,
        now: datetime,
        customer_id: int,
        hold_id: UUID,
        *,
        microcredits: int,
        ttl_seconds: int | None,
    ) -> None:
        super().__init__(authorize, now, customer_id, hold_id)
        self.microcredits, self.ttl_seconds = microcredits, ttl_seconds

    def run(self, batch: Batch) -> HoldNow:
        account = self.account(batch)
        lease = extend(
            account, self.hold_id, microcredits=self.microcredits, ttl_seconds=self.ttl_seconds, now=batch.now
        )
        return as_it_is(account, lease)


class OpenRunCall(Call):
    """Open a run."""

    def __init__(
        self,
        authorize: Authorize,
        now: datetime,
        *,
        customer: str,
        key: str,
        body_digest: UUID,
        budget: Budget,
        parent: str,
        user_key: str,
    ) -> None:
        super().__init__(authorize, now)
        self.customer, self.key, self.body_digest = customer, key, body_digest
        self.budget, self.parent, self.user_key = budget, parent, user_key

    def wants(self, wanted: Wanted) -> None:
        wants = wanted[self.customer]
        wants.scope("", self.key)
        wants.scope("", self.parent)

    def run(self, batch: Batch) -> "RunResult":
        self.authorize(batch.reference)
        account = batch.account(self.customer)
        before = len(account.new_runs)
        run = runs.open_run(
            account,
            key=self.key,
            body_digest=self.body_digest,
            budget=self.budget,
            parent=self.parent,
            user_key=self.user_key,
            now=batch.now,
        )
        return RunResult(account.customer_id, run, new=len(account.new_runs) > before)


class RunResult(msgspec.Struct, frozen=True):
    """A run as it stands after a call."""

    customer_id: int
    run: RunState
    new: bool = False


class CloseRunCall(Call):
    """Close a run with everything inside it, and void what it holds."""

    def __init__(self, authorize: Authorize, now: datetime, customer_id: int, run_id: UUID) -> None:
        super().__init__(authorize, now)
        self.customer_id, self.run_id = customer_id, run_id

    def wants(self, wanted: Wanted) -> None:
        wants = wanted[self.customer_id]
        wants.whole = True
        wants.run_ids.add(self.run_id)

    def run(self, batch: Batch) -> RunResult:
        self.authorize(batch.reference)
        try:
            account = batch.account(self.customer_id)
        except CustomerUnknown:
            raise runs.RunUnknown("there is no such run") from None
        state = account.runs.get(self.run_id)
        if state is None:
            raise runs.RunUnknown("there is no such run")
        runs.close(account, state, batch.now)
        return RunResult(self.customer_id, state)


class KeepDecisionCall(Call):
    """Store a denial or a downgrade that was decided without writing anything else."""

    def __init__(self, authorize: Authorize, now: datetime, row: DecisionRow) -> None:
        super().__init__(authorize, now)
        self.row = row

    def wants(self, wanted: Wanted) -> None:
        """Nothing: it is decided."""

    def run(self, batch: Batch) -> None:
        batch.decisions.append(self.row)
