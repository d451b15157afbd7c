"""Limits: everything besides the balance that says no, or warns.

One shape for all of them: scope × what it covers × unit × window × kind × value. Feature allowances,
per-user caps, hourly brakes against loops and agent budgets are rows of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from entitlements.core.account import Account, Counter
from plans.terms import SHARED_SCOPES, LimitTerms, ModelTerms

_SCOPES: Final = {"run": 0, "user": 1, "customer": 2, "plan": 3, "everyone": 4}
_CLOCKED: Final = ("minute", "hour", "day")
_FOREVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Draw(NamedTuple):
    """What one call takes of each unit: calls, microcredits, nano-USD, tokens. None: not known beforehand."""

    calls: int
    credits: int | None
    cost: int | None
    tokens: int | None


class Use(msgspec.Struct, frozen=True):
    """Who uses what: what decides which limits apply."""

    feature_id: int
    tier_id: int | None
    user_key: str = ""
    run_id: UUID | None = None


class Limiting(msgspec.Struct, frozen=True):
    """What said no. `used` counts what is held; amounts are in the unit's smallest: microcredits, nano-USD."""

    limit: str
    scope: str
    unit: str
    used: int
    value: int
    resets_at: datetime | None
    run: str | None = None


class Exceeded(msgspec.Struct, frozen=True):
    """A limit a draw would exceed."""

    limit: LimitTerms
    used: int
    resets_at: datetime | None

    def limiting(self) -> Limiting:
        return Limiting(self.limit.key, self.limit.scope, self.limit.unit, self.used, self.limit.value, self.resets_at)


Shared = Mapping[int, int]
"""What the limits of SHARED_SCOPES have used, by limit id: recorded usage seconds old, nothing that is held."""


def exceeded(
    account: Account, limits: tuple[LimitTerms, ...], use: Use, draw: Draw, now: datetime, shared: Shared
) -> Iterator[Exceeded]:
    """The limits that `draw` on top of what is used and held would exceed, narrowest scope first."""
    for limit in _applying(limits, use.feature_id, use.tier_id, bool(use.user_key), bool(use.run_id)):
        taken = getattr(draw, limit.unit)
        # Of what is not known beforehand, at least something must be left.
        amount = 1 if taken is None else taken
        if limit.window == "draw":
            if amount > limit.value:
                yield Exceeded(limit, 0, None)
            continue
        start, end = window(limit, account, now)
        if limit.scope in SHARED_SCOPES:
            used = shared.get(limit.id, 0)
        else:
            counter = account.counters.get((scope_key(limit, use), limit.key))
            used = 0 if counter is None else counter.held + used_in(limit, counter, start)
        if used + amount > limit.value:
            yield Exceeded(limit, used, end)


def claim(
    account: Account, limits: tuple[LimitTerms, ...], use: Use, draw: Draw, now: datetime
) -> list[tuple[str, str, int]]:
    """Hold `draw` in the counters of every limit it counts in. Returns what to release later."""
    claims = []
    for limit in _counted(limits, use):
        amount = getattr(draw, limit.unit)
        if amount:
            start, _ = window(limit, account, now)
            scope = scope_key(limit, use)
            counter = _counter(account, limit, scope, start)
            counter.held += amount
            claims.append((scope, limit.key, amount))
            _warn(account, limit, scope, counter, now)
    return claims


def release(account: Account, claims: Sequence[tuple[str, str, int]]) -> None:
    """Give back what a hold had claimed."""
    for scope, key, amount in claims:
        counter = account.counters.get((scope, key))
        if counter is not None:
            counter.held -= amount
            account.touch_counter(scope, key)


def count(
    account: Account, limits: tuple[LimitTerms, ...], use: Use, draw: Draw, *, at: datetime, now: datetime
) -> None:
    """Count what a call really took, in the windows that contain `at`: a late event is not this hour's."""
    for limit in _counted(limits, use):
        amount = getattr(draw, limit.unit)
        start, _ = window(limit, account, now)
        if amount and at >= start:
            scope = scope_key(limit, use)
            counter = _counter(account, limit, scope, start)
            counter.used += amount
            _warn(account, limit, scope, counter, now)


class Counted(Protocol):
    """What tells how far a limit is used: a `Counter`, or the row of one."""

    window_start: datetime
    used: int


def used_in(limit: LimitTerms, counter: Counted, start: datetime) -> int:
    """What the counter says was used in the window that starts at `start`: nothing, when it is of an older one."""
    return counter.used if _is_current(limit, counter, start) else 0


def scope_key(limit: LimitTerms, use: Use) -> str:
    """Whose counter it is."""
    if limit.scope == "user":
        return f"user:{use.user_key}"
    if limit.scope == "run":
        return f"run:{use.run_id}"
    return ""


def window(limit: LimitTerms, account: Account, now: datetime) -> tuple[datetime, datetime | None]:
    """The limit's current window [start, end). Days and periods are the customer's own, unless many share them."""
    if limit.scope in SHARED_SCOPES:
        return _shared_window(limit.window, now)
    if limit.window in _CLOCKED:
        return _clocked_window(limit.window, account.time_zone, now)
    if limit.window == "period" and account.period_start is not None:
        return account.period_start, account.period_end
    return _FOREVER, None


@lru_cache(maxsize=1024)  # All calls of a batch have one `now`.
def _clocked_window(kind: str, time_zone: str, now: datetime) -> tuple[datetime, datetime]:
    if kind == "minute":
        start = now.replace(second=0, microsecond=0)
        return start, start + timedelta(minutes=1)
    if kind == "hour":
        start = now.replace(minute=0, second=0, microsecond=0)
        return start, start + timedelta(hours=1)
    zone = ZoneInfo(time_zone)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    # The next midnight by the calendar, not 24 hours on: days with a clock change are shorter or longer.
    following = (midnight + timedelta(days=1)).replace(tzinfo=zone)
    return midnight.astimezone(UTC), following.astimezone(UTC)


@lru_cache(maxsize=128)
def _shared_window(kind: str, now: datetime) -> tuple[datetime, datetime | None]:
    """The window of a limit many customers share: the UTC day, the calendar month for a period, or all time.

    Their billing periods start on different days and rollups are of days in UTC.
    """
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "day":
        return midnight, midnight + timedelta(days=1)
    if kind == "period":
        first = midnight.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1)
    return _FOREVER, None


@lru_cache(maxsize=4096)
def _applying(
    limits: tuple[LimitTerms, ...], feature_id: int, tier_id: int | None, of_user: bool, in_run: bool
) -> tuple[LimitTerms, ...]:
    """Those that cover such a use, narrowest scope first."""
    return tuple(
        limit
        for limit in sorted(limits, key=lambda limit: _SCOPES[limit.scope])
        if (limit.feature_id is None or limit.feature_id == feature_id)
        and (limit.tier_id is None or limit.tier_id == tier_id)
        and (limit.scope != "user" or of_user)
        and (limit.scope != "run" or in_run)
    )


def _counted(limits: tuple[LimitTerms, ...], use: Use) -> tuple[LimitTerms, ...]:
    """Those with a counter of the customer's own: not the ones per draw, nor those of everyone."""
    return _with_counter(_applying(limits, use.feature_id, use.tier_id, bool(use.user_key), bool(use.run_id)))


@lru_cache(maxsize=4096)
def _with_counter(limits: tuple[LimitTerms, ...]) -> tuple[LimitTerms, ...]:
    return tuple(limit for limit in limits if limit.window != "draw" and limit.scope not in SHARED_SCOPES)


def _counter(account: Account, limit: LimitTerms, scope: str, start: datetime) -> Counter:
    """The limit's counter for the window that begins at `start`, started over when it counted an earlier one."""
    counter = account.counters.get((scope, limit.key))
    if counter is None:
        counter = account.counters[scope, limit.key] = Counter(account.customer_id, scope, limit.key, start)
    elif not _is_current(limit, counter, start):
        counter.window_start, counter.used, counter.warned_percent = start, 0, 0
    account.touch_counter(scope, limit.key)
    return counter


def _is_current(limit: LimitTerms, counter: Counted, start: datetime) -> bool:
    """Whether the counter counts the window that starts at `start`.

    A batch stamped just before a window's end may get the lock after one stamped just behind it: then the newer
    window is the current one for both, and is never started over backwards. (A billing period may move back, with
    the plan.)
    """
    return counter.window_start == start or (limit.window in _CLOCKED and counter.window_start > start)


def _warn(account: Account, limit: LimitTerms, scope: str, counter: Counter, now: datetime) -> None:
    """Tell once per window that a threshold has been reached (≥)."""
    taken = (counter.used + counter.held) * 100
    reached = counter.warned_percent
    for percent in limit.warn_at_percent:
        if percent > reached and taken >= percent * limit.value:
            reached = percent
    if reached == counter.warned_percent:
        return
    counter.warned_percent = reached
    payload: dict[str, Any] = {
        "limit": limit.key,
        "scope": limit.scope,
        "scope_key": scope,
        "threshold_percent": counter.warned_percent,
        "used": str(counter.used + counter.held),
        "value": str(limit.value),
        "unit": limit.unit,
    }
    account.tell(
        f"limit.threshold:{limit.key}:{scope}:{counter.window_start.isoformat()}:{counter.warned_percent}",
        "limit.threshold",
        payload,
        now,
    )


def tier_of(model: ModelTerms | None) -> int | None:
    """The tier a limit on tiers goes by."""
    return None if model is None else model.tier_id
