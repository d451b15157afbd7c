"""Taking back credits whose payment went back, and giving them back when the money returns.

What is left of the grant goes first. What it has burned cannot be unburned: it becomes debt, which the next free
credits pay and which blocks until then. What has expired or was voided was not enjoyed and is not owed.
"""

from datetime import datetime

import msgspec

from entitlements.burndown import burn_key
from entitlements.core.account import Account, GrantState
from entitlements.core.timeline import look_ahead
from entitlements.core.words import Bucket, EntryKind


class Moved(msgspec.Struct, frozen=True):
    """Microcredits of one grant that were taken back or given back: what can be burned, and what had been."""

    unburned: int
    burned: int


def take_back(account: Account, grant: GrantState, amount: int, *, burned: int, now: datetime) -> Moved:
    """Take back up to `amount` of a grant that has been active, of which `burned` was burned and is not owed yet.

    What open holds have a claim on is owed like what was burned: the work may be under way, and if it is not done,
    what the hold gives back pays for it. Returns what was taken: less than `amount` where credits expired or were
    voided.
    """
    unburned = min(amount, grant.remaining, max(account.free, 0))
    if unburned:
        grant.remaining -= unburned
        grant.closed_at = None if grant.remaining else now
        account.touched[grant.id] = grant
        account.enter(EntryKind.REVERSAL, Bucket.POSTED, -unburned, at=now, now=now, grant_id=grant.id)
    owed = max(0, min(amount - unburned, burned + grant.remaining))
    if owed:
        account.enter(EntryKind.REVERSAL, Bucket.DEBT, -owed, at=now, now=now, grant_id=grant.id)
        account.pay_off(at=now, now=now)
    look_ahead(account, now)
    return Moved(unburned, owed)


def give_back(account: Account, grant: GrantState, taken: Moved, *, now: datetime) -> Moved:
    """Undo `take_back`. Debt that is still there is forgiven; what has been paid of it returns to the grant.

    A grant that has expired meanwhile gets its credits and loses them again at once, as it would have.
    """
    forgiven = min(taken.burned, account.debt)
    if forgiven:
        account.enter(EntryKind.RESTORED, Bucket.DEBT, forgiven, at=now, now=now, grant_id=grant.id)
    returned = taken.unburned + taken.burned - forgiven
    if returned:
        grant.remaining += returned
        grant.closed_at = None
        account.touched[grant.id] = grant
        if grant not in account.grants:  # a closed one: it was not loaded
            account.grants.append(grant)
            account.grants.sort(key=burn_key)
        account.enter(EntryKind.RESTORED, Bucket.POSTED, returned, at=now, now=now, grant_id=grant.id)
        if grant.voided_at is not None or (grant.expires_at is not None and grant.expires_at <= now):
            account.write_off(ended=now, at=now, now=now)
    account.pay_off(at=now, now=now)
    look_ahead(account, now)
    return Moved(returned, forgiven)
