"""Settling holds and leases with what was really used, and giving them back."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from entitlements.core import holds
from entitlements.core.account import Account, HoldState
from entitlements.core.decide import BalanceNow, HoldPlaced, balance_of
from entitlements.core.holds import HoldExpired, HoldSettled, HoldUnknown, HoldVoided
from entitlements.core.margin_guard import require_margin
from entitlements.core.pricing import CostSource
from entitlements.core.record import Recorded, UsageFact, record_usage
from entitlements.core.standing import require_good_enough
from kernel.errors import InvalidInput, KeyReused, Problem
from plans.catalogue import Catalogue
from plans.problems import FeatureUnknown


class InsufficientCredits(Problem):
    status = 402
    code = "insufficient_credits"
    title = "The customer does not have the credits"


class LeaseWanted(msgspec.Struct, frozen=True):
    """A lease to acquire."""

    key: str
    key_digest: UUID
    body_digest: UUID
    feature: str
    microcredits: int
    ttl_seconds: int


def hold_of(account: Account, hold_id: UUID) -> HoldState:
    """The hold of an id. Raises HoldUnknown."""
    hold = account.holds.get(hold_id)
    if hold is None:
        raise HoldUnknown(f"there is no hold {hold_id}")
    return hold


def settle(
    account: Account,
    hold_id: UUID,
    fact: UsageFact,
    catalogue: Catalogue,
    costs: CostSource,
    now: datetime,
    *,
    final: bool,
    calls: int,
) -> Recorded:
    """Charge a hold with what its call used. `fact` lacks what the hold knows: feature, user, run, maybe the model.

    A settlement that comes after the hold expired is charged all the same and says so: the work was done.
    Raises HoldUnknown, HoldVoided, HoldSettled, KeyReused.
    """
    hold = hold_of(account, hold_id)
    if fact.key_digest not in account.seen:
        if hold.status == holds.VOIDED:
            raise HoldVoided(f"hold {hold.key!r} was voided: report late work as usage")
        if hold.status == holds.SETTLED:
            raise HoldSettled(f"hold {hold.key!r} was settled before with another body")
    feature = catalogue.features_by_id.get(hold.feature_id)
    run = account.runs.get(hold.run_id) if hold.run_id else None
    known = msgspec.structs.replace(
        fact,
        feature=fact.feature or (feature.key if feature else ""),
        user_key=fact.user_key or hold.user_key,
        run_key=fact.run_key or (run.key if run else ""),
        model=fact.model or hold.model,
    )
    return record_usage(account, known, catalogue, costs, now, hold=hold, final=final, calls=calls)


def acquire(account: Account, wanted: LeaseWanted, catalogue: Catalogue, now: datetime) -> tuple[HoldState, bool]:
    """Lease a block of credits to one process, all of it or none. Returns the lease and whether it is new.

    Raises FeatureUnknown, KeyReused, PaymentOverdue, BelowMarginFloor, InsufficientCredits.
    """
    known = account.holds.get(wanted.key_digest)
    if known is not None:
        if known.body_digest != wanted.body_digest:
            raise KeyReused(f"lease key {wanted.key!r} was used before with another body", field="key")
        return known, False
    feature = catalogue.features.get(wanted.feature)
    if feature is None:
        raise FeatureUnknown(f"no feature has the key {wanted.feature!r}", field="feature")
    require_good_enough(account, catalogue, now)
    require_margin(account.margin, account.period_start, now)
    _require(account, wanted.microcredits)
    lease = HoldState(
        customer_id=account.customer_id,
        id=wanted.key_digest,
        key=wanted.key,
        body_digest=wanted.body_digest,
        held=wanted.microcredits,
        steps=0,
        feature_id=feature.id,
        model="",
        user_key="",
        run_id=None,
        runs=[],
        claims=[],
        is_lease=True,
        placed_at=now,
        expires_at=now + timedelta(seconds=wanted.ttl_seconds),
    )
    holds.place(account, lease, steps=0)
    return lease, True


def extend(account: Account, lease_id: UUID, *, microcredits: int, ttl_seconds: int | None, now: datetime) -> HoldState:
    """Add credits to a lease, or time, or both.

    Raises HoldUnknown, HoldExpired, HoldSettled, BelowMarginFloor, InsufficientCredits.
    """
    lease = hold_of(account, lease_id)
    if lease.closed_at is not None:
        raise (HoldExpired if lease.status == holds.EXPIRED else HoldSettled)(f"lease {lease.key!r} has ended")
    if not lease.is_lease:
        raise InvalidInput("this is a hold, not a lease")
    require_margin(account.margin, account.period_start, now)
    _require(account, microcredits)
    lease.held += microcredits
    account.held += microcredits
    account.dirty = True
    if ttl_seconds is not None:
        # Only ever later: holds_until stays at or before every open hold's deadline.
        lease.expires_at = max(lease.expires_at, now + timedelta(seconds=ttl_seconds))
    account.touch_hold(lease)
    return lease


class HoldNow(msgspec.Struct, frozen=True):
    """A hold or lease after a call, and the balance."""

    hold: HoldPlaced
    status: int
    settled_microcredits: int
    balance: BalanceNow
    replayed: bool = False


def as_it_is(account: Account, hold: HoldState, *, replayed: bool = False) -> HoldNow:
    """The hold and the balance as values."""
    placed = HoldPlaced(hold.id, account.customer_id, hold.held, hold.expires_at)
    return HoldNow(placed, hold.status, hold.settled, balance_of(account), replayed)


def _require(account: Account, microcredits: int) -> None:
    if account.available < microcredits:
        raise InsufficientCredits(
            "the credits are not there",
            field="credits",
            needed_microcredits=microcredits,
            available_microcredits=account.available,
        )
