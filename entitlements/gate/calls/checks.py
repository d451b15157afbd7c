"""Checks: asking, and holding in the same step; and keeping what was decided."""

from datetime import datetime
from uuid import UUID

import msgspec

from entitlements.core.check import Question
from entitlements.core.decide import Decided, decide, state_of
from entitlements.gate.calls.batch import Authorize, Batch, Call, DecisionRow
from entitlements.store.accounts import Wanted


class CheckCall(Call):
    """A check; with a hold in its question it writes."""

    def __init__(self, authorize: Authorize, now: datetime, customer: str, question: Question) -> None:
        super().__init__(authorize, now, customer)
        self.customer, self.question = customer, question

    def wants(self, wanted: Wanted) -> None:
        wants = wanted[self.customer]
        wants.scope(self.question.user_key, self.question.run_key)
        if self.question.hold is not None:
            wants.new_holds.add(self.question.hold.key_digest)

    def run(self, batch: Batch) -> "Checked":
        self.authorize(batch.reference)
        account = batch.account(self.customer)
        reference = batch.reference
        # A check that holds nothing moves nothing, so the account is afterwards what it was decided from.
        before = None if self.question.hold is None else state_of(account, self.question, batch.shared)
        decided = decide(account, self.question, reference.catalogue, reference.costs, batch.now, batch.shared)
        if decided.replayed:
            return Checked(decided, None)
        if before is not None:
            record = batch.decision(account, self.question, before, decided)
            batch.decisions.append(record)
            return Checked(decided, record, stored=True)
        if decided.answer.decision == "allow":
            return Checked(decided, None)
        return Checked(
            decided, batch.decision(account, self.question, state_of(account, self.question, batch.shared), decided)
        )


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


class KeepDecisionCall(Call):
    """Store a denial or a downgrade that was decided without writing anything else."""

    def __init__(self, authorize: Authorize, now: datetime, row: DecisionRow) -> None:
        super().__init__(authorize, now, row.customer_id)
        self.customers = ()
        self.row = row

    def wants(self, wanted: Wanted) -> None:
        """Nothing: it is decided."""

    def run(self, batch: Batch) -> None:
        batch.decisions.append(self.row)
