"""Holds: credits set aside before a call, then settled with what it really used, voided, or expired.

A lease is a hold that is settled many times. While a hold is open its credits are nobody else's; its
end, however it comes, gives back what was not used, once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from entitlements.core import limits
from entitlements.core.account import Account, HoldState
from kernel.errors import Conflict, NotFound


class HoldUnknown(NotFound):
    code = "hold_unknown"
    title = "There is no such hold"


class HoldSettled(Conflict):
    code = "hold_settled"
    title = "The hold was settled"


class HoldVoided(Conflict):
    code = "hold_voided"
    title = "The hold was voided"


class HoldExpired(Conflict):
    code = "hold_expired"
    title = "The hold has expired"


OPEN, SETTLED, VOIDED, EXPIRED = 1, 2, 3, 4
_TICK = timedelta(microseconds=1)


def place(account: Account, hold: HoldState, *, steps: int = 1) -> None:
    """Set the hold's credits aside. The caller has decided that they are there."""
    account.holds[hold.id] = hold
    account.new_holds.append(hold)
    account.held += hold.held
    account.dirty = True
    _in_runs(account, hold, hold.held, steps=steps)
    if account.holds_until is None or hold.expires_at < account.holds_until:
        account.holds_until = hold.expires_at
    if account.valid_until is None or hold.expires_at < account.valid_until:
        account.valid_until = hold.expires_at


def draw_on(account: Account, hold: HoldState, microcredits: int) -> None:
    """Free as much of the hold as the charge about to be made can use."""
    freed = min(hold.held, microcredits)
    hold.settled += microcredits
    _free(account, hold, freed)


def close(account: Account, hold: HoldState, status: int, *, at: datetime, now: datetime) -> None:
    """End the hold at `at` and give back what it still holds."""
    _free(account, hold, hold.held)
    limits.release(account, hold.claims)
    _in_runs(account, hold, 0, steps=-hold.steps)
    hold.claims, hold.steps = [], 0
    hold.status, hold.closed_at = status, at
    account.touch_hold(hold)
    account.pay_off(at=at, now=now)
    # A grant that ends at the very instant the hold does expires after it, and may then roll over.
    account.write_off(ended=at - _TICK if status == EXPIRED else at, at=at, now=now)


def expire_due(account: Account, due: datetime, now: datetime) -> None:
    """End every open hold whose deadline has come; all of those are loaded when the account is due."""
    for hold in sorted(account.holds.values(), key=lambda hold: hold.expires_at):
        if hold.closed_at is None and hold.expires_at <= due:
            close(account, hold, EXPIRED, at=hold.expires_at, now=now)
    following = [hold.expires_at for hold in account.holds.values() if hold.closed_at is None]
    if account.next_hold is not None:
        following.append(account.next_hold)
    account.holds_until = min(following, default=None)
    account.dirty = True


def void(account: Account, hold: HoldState, now: datetime) -> bool:
    """Give everything back. True when it was voided or expired already. Raises HoldSettled."""
    if hold.status == SETTLED:
        raise HoldSettled(f"hold {hold.key!r} was settled")
    if hold.status in (VOIDED, EXPIRED):
        return True
    close(account, hold, SETTLED if hold.settled else VOIDED, at=now, now=now)
    return False


def open_holds(account: Account, inside: Sequence[UUID]) -> list[HoldState]:
    """The open holds of any of these runs."""
    wanted = set(inside)
    return [hold for hold in account.holds.values() if hold.closed_at is None and wanted.intersection(hold.runs)]


def _free(account: Account, hold: HoldState, microcredits: int) -> None:
    account.held -= microcredits
    hold.held -= microcredits
    _in_runs(account, hold, -microcredits, steps=0)
    account.touch_hold(hold)
    account.dirty = True


def _in_runs(account: Account, hold: HoldState, microcredits: int, *, steps: int) -> None:
    """Set aside (or, negative, give back) credits and steps in the hold's run and all its parents."""
    for run_id in hold.runs:
        level = account.runs.get(run_id)
        if level is not None:
            level.held_microcredits += microcredits
            level.held_steps += steps
            account.touch_run(level)
