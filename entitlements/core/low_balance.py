"""Telling once that a balance has fallen below the mark somebody set on it."""

from collections.abc import Iterable
from datetime import datetime

from entitlements.core.account import Account
from kernel.units import format_credits


def notice_low(accounts: Iterable[Account], now: datetime) -> None:
    """After a batch, before it is saved: note whose available has crossed its mark, and tell the outbox of falls.

    Part of the transaction that moved the credits, so a fall is told exactly once and never missed; who acts on it
    (auto top-up, a webhook) does so later, from the stored `low_since` or the message.
    """
    for account in accounts:
        if account.low_below is None:
            continue
        is_low = account.available < account.low_below
        if is_low and account.low_since is None:
            account.low_since = now
            account.dirty = True
            payload = {"available": format_credits(account.available), "threshold": format_credits(account.low_below)}
            account.tell(f"balance.low:{now.isoformat()}", "balance.low", payload, now)
        elif not is_low and account.low_since is not None:
            account.low_since = None
            account.dirty = True
