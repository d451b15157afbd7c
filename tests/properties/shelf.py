"""Where the property test keeps its account between calls. As in the store, what is saved is what the core says it
touched: a change that nobody marked is lost.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from entitlements.burndown import burn_key
from entitlements.core.account import Account, Counter, GrantState, HoldState, LedgerRow, RunState, SeenEvent
from entitlements.store.accounts import Wanted
from kernel.sql_files import Statement
from metering.events import EventRow
from tests.accounts import account as new_account

ROW = Account.__struct_fields__[: Account.__struct_fields__.index("grants")]
"""What the customer's and the balance row hold."""


class Shelf:
    """One account and its ledger."""

    def __init__(self, **parts: Any) -> None:
        new = new_account(**parts)
        self.row: dict[str, Any] = {name: getattr(new, name) for name in ROW}
        self.grants: dict[UUID, GrantState] = {}
        self.holds: dict[UUID, HoldState] = {}
        self.runs: dict[UUID, RunState] = {}
        self.counters: dict[tuple[str, str], Counter] = {}
        self.seen: dict[UUID, SeenEvent] = {}
        self.ledger: list[LedgerRow] = []
        self.messages: dict[str, dict[str, Any]] = {}
        self.answers: dict[UUID, bytes] = {}

    def load(self, wanted: Wanted, now: datetime) -> Account:
        """The account, not yet brought up to date. (The store loads only what is wanted and due.)"""
        return self.everything()

    def changed_elsewhere(self) -> None:
        """Nothing is kept that would have to be forgotten."""

    def everything(self) -> Account:
        """The account with all there is."""
        copy: Callable[[Any], Any] = msgspec.structs.replace
        return Account(
            **self.row,
            grants=sorted((copy(grant) for grant in self.grants.values()), key=burn_key),
            holds={hold.id: copy(hold) for hold in self.holds.values()},
            runs={run.id: copy(run) for run in self.runs.values()},
            counters={key: copy(counter) for key, counter in self.counters.items()},
            seen=dict(self.seen),
            answers=dict(self.answers),
        )

    def save(self, account: Account, events: Sequence[EventRow] = (), records: Sequence[Statement] = ()) -> None:
        """Keep what was changed (store.save_statements)."""
        if account.dirty:
            self.row = {name: getattr(account, name) for name in ROW}
        for grant in (*(new.state for new in account.new_grants), *account.touched.values()):
            self.grants[grant.id] = grant
        for hold in (*account.new_holds, *account.touched_holds.values()):
            self.holds[hold.id] = hold
        for run in (*account.new_runs, *account.touched_runs.values()):
            self.runs[run.id] = run
        for key in account.touched_counters:
            self.counters[key] = account.counters[key]
        for row in events:
            digest = row.key_digest
            self.seen[digest] = SeenEvent(digest, row.body_digest, row.charged_microcredits, row.cost_nanousd)
        self.ledger += account.ledger
        self.answers |= account.answers
        for message in account.messages:
            self.messages.setdefault(message.key, message.payload)
