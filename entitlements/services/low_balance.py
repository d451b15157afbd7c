"""The mark below which a balance is low."""

from datetime import datetime

from entitlements.services.accounts import opened_one


def tell_when_below(customer_key: str, microcredits: int | None, now: datetime) -> None:
    """Tell the outbox (balance.low) whenever available falls below the mark; None never does.

    A balance that is below it already is told at once. Raises CustomerUnknown.
    """
    with opened_one(customer_key, now=now) as (account, _):
        if account.low_below != microcredits:
            account.low_below, account.low_since = microcredits, None
            account.dirty = True
