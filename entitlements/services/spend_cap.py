"""The customer's own bound on overage."""

from datetime import datetime

from entitlements.services.accounts import opened_one
from kernel.errors import InvalidInput
from kernel.units import MAX_AMOUNT


def set_spend_cap(customer_key: str, microcredits: int | None, now: datetime) -> None:
    """Let overage stop at so many microcredits in a period, below the plan's own cap; None leaves the plan's alone.

    Counts from the next call on. A cap below this period's overage stops further overage and takes nothing
    back; what a call really used above the cap is debt. Raises CustomerUnknown, InvalidInput.
    """
    if microcredits is not None and not 0 <= microcredits <= MAX_AMOUNT:
        raise InvalidInput("must be between 0 and what can be counted", field="credits")
    with opened_one(customer_key, now=now) as (account, _):
        if account.spend_cap != microcredits:
            account.spend_cap = microcredits
            account.dirty = True
