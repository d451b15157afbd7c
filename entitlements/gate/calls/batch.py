"""A batch of calls: the accounts they share, and what each kind of call must be able to say and do."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID
from zlib import crc32

import msgspec

from entitlements.core.account import Account
from entitlements.core.check import Question
from entitlements.core.decide import Decided
from entitlements.core.limits import Shared
from entitlements.core.record import Recorded
from entitlements.services.problems import CustomerUnknown
from entitlements.store.accounts import Wanted
from entitlements.store.reference import Reference
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
    account: msgspec.Raw
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

    def decision(self, account: Account, question: Question, state: msgspec.Raw, decided: Decided) -> DecisionRow:
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

    weight = 1
    """How many actions it stands for."""

    def __init__(self, authorize: Authorize, now: datetime, customer: str | int) -> None:
        self.authorize = authorize
        self.now = now
        self.customers: Collection[str | int] = (customer,)
        """Whom it names, by key or id."""
        self.lane = customer if isinstance(customer, int) else crc32(customer.encode())
        """Calls of one customer share a lane, as far as that can be: two would wait for each other's locks."""

    @abstractmethod
    def wants(self, wanted: Wanted) -> None:
        """Name what is to be loaded."""

    @abstractmethod
    def run(self, batch: Batch) -> Any:
        """Do it. Raises Problem, which refuses this call alone."""


class CatchUpCall(Call):
    """Store what has happened to an account by itself. Ours, so it needs no key."""

    def __init__(self, customer_id: int, now: datetime) -> None:
        super().__init__(lambda _: None, now, customer_id)
        self.customer_id = customer_id

    def wants(self, wanted: Wanted) -> None:
        wanted[self.customer_id]

    def run(self, batch: Batch) -> None:
        """Loading has brought the account up to date; saving stores it."""
