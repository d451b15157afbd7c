"""Reporting what happened."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from entitlements.core.decide import BalanceNow, balance_of
from entitlements.core.record import Recorded, UsageFact, record_usage
from entitlements.gate.calls.batch import Authorize, Batch, Call
from entitlements.store.accounts import Wanted
from entitlements.store.reference import Reference
from kernel.errors import Problem


class ItemOutcome(msgspec.Struct, frozen=True):
    """What became of one reported action, and the customer's balance after the request."""

    result: Recorded | Problem
    model: str | None
    balance: BalanceNow | None


class UsageCall(Call):
    """The readable items of one request, each with its customer's key."""

    def __init__(self, authorize: Authorize, now: datetime, items: Sequence[tuple[str, UsageFact]]) -> None:
        super().__init__(authorize, now, items[0][0] if items else "")
        self.items = items
        self.customers = {customer for customer, _ in items}
        self.weight = len(items)

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
