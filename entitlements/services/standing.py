"""Overdue payments, and overage that becomes money owed: what billing tells an account."""

from datetime import datetime

from entitlements.services.accounts import opened_one


def set_overdue(customer_key: str, since: datetime | None, now: datetime) -> bool:
    """Say since when a payment of the customer's is overdue; None: none is. Returns whether that is news.

    What follows from it is the plan's grace policy, decided with every check. Raises CustomerUnknown.
    """
    with opened_one(customer_key, now=now) as (account, _):
        if account.overdue_since == since:
            return False
        account.overdue_since = since
        account.dirty = True
    return True


def bill_accrued_overage(customer_key: str, *, at_least: int, now: datetime) -> int:
    """Make this period's overage money owed before the period ends, if it is `at_least` so many microcredits.

    Returns how much was billed. A grant that comes first pays it instead: both wait for the balance row.
    Raises CustomerUnknown.
    """
    with opened_one(customer_key, now=now) as (account, _):
        return account.bill_overage(at=now, now=now) if account.overage >= max(1, at_least) else 0
