"""Calls on one hold or lease: settle, void, acquire, extend."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from entitlements.core import holds
from entitlements.core.account import Account
from entitlements.core.record import Recorded, UsageFact
from entitlements.core.settle import HoldNow, LeaseWanted, acquire, as_it_is, extend, hold_of, settle
from entitlements.core.standing import require_good_enough
from entitlements.gate.calls.batch import Authorize, Batch, Call
from entitlements.services.problems import CustomerUnknown
from entitlements.store.accounts import Wanted
from kernel.errors import Problem


class HoldCall(Call):
    """A call on one hold or lease, named by its public id."""

    def __init__(self, authorize: Authorize, now: datetime, customer_id: int, hold_id: UUID) -> None:
        super().__init__(authorize, now, customer_id)
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
        self.weight = len(facts)

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
        super().__init__(authorize, now, customer)
        self.customer, self.lease = customer, lease

    def wants(self, wanted: Wanted) -> None:
        wanted[self.customer].new_holds.add(self.lease.key_digest)

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
        require_good_enough(account, batch.reference.catalogue, batch.now)
        lease = extend(
            account, self.hold_id, microcredits=self.microcredits, ttl_seconds=self.ttl_seconds, now=batch.now
        )
        return as_it_is(account, lease)
