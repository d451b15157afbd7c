"""Telling once that a balance has fallen below the mark somebody set on it, and that nothing is left of it."""

from collections.abc import Iterable
from datetime import datetime

from entitlements.core.account import Account
from kernel.units import format_credits


def notice_low(accounts: Iterable[Account], now: datetime) -> None:
    """After a batch, before it is saved: note whose available has crossed its mark or zero, and tell of falls.

    Part of the transaction that moved the credits, so a fall is told exactly once and never missed; who acts on it
    (auto top-up, a webhook) does so later, from the stored `low_since` or the message.
    """
    for account in accounts:
        _notice_exhausted(account, now)
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


def _notice_exhausted(account: Account, now: datetime) -> None:
    """Tell of a fall to zero or below. What was stored is above it or not, so nothing else needs remembering."""
    before, account.available_at_first = account.available_at_first, account.available
    if before > 0 >= account.available:
        payload = {
            "available": format_credits(account.available),
            "held": format_credits(account.held),
            "debt": format_credits(account.debt),
            "overage": format_credits(account.overage),
        }
        account.tell(f"balance.exhausted:{now.isoformat()}", "balance.exhausted", payload, now)
