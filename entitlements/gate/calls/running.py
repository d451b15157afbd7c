"""Opening and closing runs."""

from datetime import datetime
from uuid import UUID

import msgspec

from entitlements.core import runs
from entitlements.core.account import RunState
from entitlements.core.runs import Budget
from entitlements.gate.calls.batch import Authorize, Batch, Call
from entitlements.services.problems import CustomerUnknown
from entitlements.store.accounts import Wanted


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
        super().__init__(authorize, now, customer)
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
        super().__init__(authorize, now, customer_id)
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
