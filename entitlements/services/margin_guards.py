"""Setting and ending the floors of the margin guard. What was in force stays as history; one per target and action."""

from datetime import datetime
from decimal import Decimal

import msgspec
from django.db import transaction

from entitlements.models import Customer, MarginGuard
from entitlements.models.margin import DEFAULT_FRESHNESS_SECONDS
from kernel.errors import NotFound
from plans.models import Plan


class MarginGuardUnknown(NotFound):
    code = "margin_guard_unknown"
    title = "There is no such margin guard in force"


class FloorWanted(msgspec.Struct, frozen=True):
    """A floor to set: a share of revenue (0.4 is 40 %), and how figures older than some seconds are taken."""

    floor: Decimal
    freshness_seconds: int = DEFAULT_FRESHNESS_SECONDS
    trusts_stale: bool = False
    note: str = ""


Target = Plan | Customer


@transaction.atomic
def set_guard(target: Target, action: str, wanted: FloorWanted, now: datetime) -> tuple[MarginGuard, bool]:
    """Put a floor under a plan or a customer from `now` on, ending the one with that action.

    Returns the guard and whether it is new: setting what is in force already changes nothing.
    """
    # Two who set one at once come one after the other.
    type(target).objects.select_for_update(no_key=True).get(pk=target.pk)
    known = _in_force(target, action)
    if known is not None:
        if FloorWanted(known.floor, known.freshness_seconds, known.trusts_stale, known.note) == wanted:
            return known, False
        _end(known, now)
    named = {"plan": target} if isinstance(target, Plan) else {"customer": target}
    return MarginGuard.objects.create(**named, action=action, starts_at=now, **msgspec.structs.asdict(wanted)), True


def end_guard(target: Target, action: str, now: datetime) -> MarginGuard:
    """Take a floor away from `now` on. Raises MarginGuardUnknown."""
    known = _in_force(target, action)
    if known is None:
        raise MarginGuardUnknown(f"{target} has no guard that would {action}")
    _end(known, now)
    return known


def guards_of(target: Target) -> list[MarginGuard]:
    """The floors in force, mildest action first."""
    order = list(MarginGuard.Action.values)
    return sorted(_open(target), key=lambda guard: order.index(guard.action))


def _in_force(target: Target, action: str) -> MarginGuard | None:
    return next((guard for guard in _open(target) if guard.action == action), None)


def _open(target: Target) -> list[MarginGuard]:
    named = {"plan": target} if isinstance(target, Plan) else {"customer": target}
    return list(MarginGuard.objects.filter(ends_at=None, **named))


def _end(guard: MarginGuard, now: datetime) -> None:
    # One that was to start later never was.
    guard.ends_at = max(now, guard.starts_at)
    guard.save(update_fields=["ends_at"])
