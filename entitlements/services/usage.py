"""Recording usage from inside Django: imports, the demo, tests. The gate does the same over HTTP."""

from collections.abc import Sequence
from datetime import datetime

from entitlements.core.record import Recorded, UsageFact, record_usage
from entitlements.services.accounts import opened
from entitlements.services.problems import CustomerUnknown
from entitlements.store.accounts import Wanted
from kernel.errors import Problem


def record_many(items: Sequence[tuple[str, UsageFact]], now: datetime) -> list[Recorded | Problem]:
    """Record usage of any customers, in the given order per customer, in one transaction.

    One result per item: a refused item spoils no other.
    """
    results: list[Recorded | Problem] = []
    wanted = Wanted()
    for customer, fact in items:
        wanted[customer].events.add(fact.key_digest)
        wanted[customer].scope(fact.user_key, fact.run_key)
    with opened(wanted, now=now) as these:
        for customer, fact in items:
            account = these.accounts.get(customer)
            if account is None:
                results.append(CustomerUnknown(f"no customer has the key {customer!r}", field="customer"))
                continue
            try:
                recorded = record_usage(account, fact, these.reference.catalogue, these.reference.costs, now)
            except Problem as problem:
                results.append(problem)
                continue
            if recorded.row is not None:
                these.events.append(recorded.row)
            results.append(recorded)
    return results
