"""Letting what is due happen before it is reported."""

from datetime import datetime

from entitlements.models import CreditGrant, Customer
from entitlements.services.accounts import opened_one


def write_due_breakage(now: datetime) -> int:
    """Write the expiries of bought credits that are due; returns how many accounts were due.

    An account notices its own expiries when it is next touched. Until then the ledger lacks them, and
    with them the breakage of customers who have gone quiet: exactly those whose credits expire. One
    transaction per account, so that no reader of a report holds more than one of them.
    """
    due = CreditGrant.objects.filter(closed_at=None, activated_at__isnull=False, paid__gt=0, expires_at__lte=now)
    whose = set(due.values_list("customer_id", flat=True))
    if not whose:
        return 0
    keys = list(Customer.objects.filter(id__in=whose).order_by("id").values_list("key", flat=True))
    for key in keys:
        with opened_one(key, now=now):
            pass
    return len(keys)
