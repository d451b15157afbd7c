"""The engine's words: grants and events that go in, segments and snapshots that come out.

All amounts are integer microcredits, all instants aware and in UTC, all periods ``[start, end)``.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

import msgspec

from kernel.recurrence import Recurrence


class BurndownError(ValueError):
    """Inputs the engine cannot give one true answer for."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """An amount that can be burned from `effective_at` until it expires or is voided.

    A recurring grant is filled to its amount again at each recurrence while it is active. At a
    reset between `rollover_min` and `rollover_max` stays; a `rollover_max` of None has no ceiling,
    so that bought credits survive, and a maximum below the minimum wins.
    """

    id: str
    amount: int
    priority: int
    created_at: datetime
    effective_at: datetime
    expires_at: datetime | None = None
    voided_at: datetime | None = None
    recurrence: Recurrence | None = None
    rollover_min: int = 0
    rollover_max: int | None = None

    @property
    def ends_at(self) -> datetime | None:
        """When it stops being burnable. One voided before it starts ends as it starts."""
        ends = [at for at in (self.expires_at, self.voided_at) if at is not None]
        return max(min(ends), self.effective_at) if ends else None

    def active_at(self, at: datetime) -> bool:
        """Whether it can be burned at this instant; its end is the first at which it cannot."""
        ends_at = self.ends_at
        return self.effective_at <= at and (ends_at is None or at < ends_at)

    def after_reset(self, balance: int) -> int:
        """What stays of `balance` when a usage period ends."""
        kept = max(balance, self.rollover_min)
        return kept if self.rollover_max is None else min(kept, self.rollover_max)


class Event(msgspec.Struct, frozen=True):
    """Usage: this much was used at this instant."""

    at: datetime
    amount: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All a run needs to go on from `at`: a checkpoint, never a source.

    It holds everything before `at`, a reset at `at` included, and nothing that starts, recurs or
    ends at `at`: the run that goes on from it does those. So one run and two that meet at any
    instant give the same answer, and a snapshot may be dropped or added without changing any.
    """

    at: datetime
    balances: dict[str, int]
    overage: int = 0
    """Usage no grant has paid yet."""
    usage: int = 0
    """Since `usage_since`, the start of the usage period; None is `at` itself."""
    usage_since: datetime | None = None
    total_grant_usage: int = 0
    """Burned from grants in the usage period, carried overage included."""

    @classmethod
    def opening(cls, grants: Iterable[Grant], at: datetime) -> Self:
        """The state before any of the grants has started. Raises BurndownError if one has."""
        balances = {}
        for grant in grants:
            if grant.effective_at < at:
                raise BurndownError(f"grant {grant.id} started before {at}; its balance there is not known")
            balances[grant.id] = 0
        return cls(at=at, balances=balances)


class UsageEnd(StrEnum):
    """Why a grant stopped being burned in a segment."""

    EXHAUSTED = "EXHAUSTED"
    SEGMENT_TERMINATION = "SEGMENT_TERMINATION"


class GrantUsage(msgspec.Struct, frozen=True):
    """What a segment burned of one grant; 0 for a grant that had credits and was not needed."""

    grant_id: str
    amount: int
    reason: UsageEnd


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch in which nothing but usage changes a balance, or the instant of a rollover.

    `overage_at_start` is burned first, then `usage`; what neither could be paid from is `overage`.
    """

    kind: Literal["usage", "rollover"]
    start: datetime
    end: datetime
    balance_at_start: dict[str, int]
    overage_at_start: int
    usage: int
    overage: int
    grant_usages: tuple[GrantUsage, ...]
    """In burn order."""
    ends_with_reset: bool = False
    ended_by_recurrence: tuple[str, ...] = ()
    """The grants that are filled again at its end."""
    priority_change: bool = False
    """A grant starts or ends at its end."""

    @property
    def balance_at_end(self) -> dict[str, int]:
        """What is left of each grant once the segment's burns are taken off."""
        balances = dict(self.balance_at_start)
        for usage in self.grant_usages:
            balances[usage.grant_id] -= usage.amount
        return balances


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The state at the end of a run, how it came about, and from where the next run goes on."""

    balances: dict[str, int]
    overage: int
    usage: int
    usage_since: datetime
    total_grant_usage: int
    segments: tuple[Segment, ...]
    snapshot: Snapshot
    """Differs from the state above only where a grant recurs at the very end: there the reader
    sees it filled, and the next run fills it."""

    @property
    def balance(self) -> int:
        """Of all grants together."""
        return sum(self.balances.values())
