"""Carry grants and usage through time. Pure: the same inputs always give the same result."""

from bisect import bisect_left
from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import accumulate, pairwise

from entitlements.burndown.model import (
    BurndownError,
    Event,
    Grant,
    GrantUsage,
    Result,
    Segment,
    Snapshot,
    UsageEnd,
)
from entitlements.burndown.order import burn, burn_order
from entitlements.burndown.timeline import Instant, instants_of, touches


def run(
    grants: Collection[Grant],
    start: Snapshot,
    events: Iterable[Event],
    *,
    until: datetime,
    resets: Collection[datetime] = (),
    preserve_overage_at_reset: bool = False,
) -> Result:
    """Burn the events of ``[start.at, until)`` from the grants, in burn order.

    Usage no grant can pay is overage, and the next grant to start or recur in the usage period
    pays it. `resets` begin new usage periods; they lie after the start, and not after `until`.
    Grants that do not touch the run are left out; those that are not later than its start need a
    balance there, and every balance its grant. The order of the three collections does not matter.

    A grant that starts or ends exactly at `until` is left to the next run. But where a grant recurs
    or a usage period begins there, a last segment of no length shows it, so that a reader at the
    instant of renewal sees the renewed balance. Raises BurndownError.
    """
    _check_snapshot(start, until)
    _check_resets(resets, start.at, until)
    playing = _playing(grants, start, until)
    usage = _UsageSums(events)
    instants = instants_of(playing, start.at, until, resets)

    walk = _Walk(playing, start)
    for opening, closing in pairwise(instants):
        walk.use(opening, closing, usage.between(opening.at, closing.at))
        if closing.reset:
            walk.roll_over(closing, preserve_overage=preserve_overage_at_reset)
    last = instants[-1]
    snapshot = walk.snapshot(last.at)
    if last.recurring or walk.usage_since == last.at:
        walk.use(last, Instant(at=last.at), 0)
    return walk.result(snapshot)


class _Walk:
    """The state that a run moves from instant to instant. `grants` are in burn order."""

    def __init__(self, grants: list[Grant], start: Snapshot) -> None:
        self.grants = grants
        self.balances = {grant.id: start.balances.get(grant.id, 0) for grant in grants}
        self.overage = start.overage
        self.usage = start.usage
        self.usage_since = start.usage_since or start.at
        self.total_grant_usage = start.total_grant_usage
        self.segments: list[Segment] = []

    def use(self, opening: Instant, closing: Instant, usage: int) -> None:
        """Let everything happen that belongs to the opening instant, then burn the segment's usage."""
        for grant in self.grants:
            if not grant.active_at(opening.at):
                self.balances[grant.id] = 0
            elif opening.fills(grant):
                self.balances[grant.id] = grant.amount
        balance_at_start, overage_at_start = dict(self.balances), self.overage
        grant_usages = self._burn(self.grants, usage)
        self.usage += usage
        self.segments.append(
            Segment(
                kind="usage",
                start=opening.at,
                end=closing.at,
                balance_at_start=balance_at_start,
                overage_at_start=overage_at_start,
                usage=usage,
                overage=self.overage,
                grant_usages=grant_usages,
                ends_with_reset=closing.reset,
                # A reset ends the period before its instant's other happenings: they belong to the next.
                ended_by_recurrence=() if closing.reset else self._recurring(closing),
                priority_change=closing.changes and not closing.reset,
            )
        )

    def roll_over(self, instant: Instant, *, preserve_overage: bool) -> None:
        """Close the usage period: keep of each grant what rolls over, then settle carried overage."""
        for grant in self.grants:
            stays = grant.active_at(instant.at) and grant.effective_at < instant.at
            self.balances[grant.id] = grant.after_reset(self.balances[grant.id]) if stays else 0
        self.overage = carried = self.overage if preserve_overage else 0
        self.usage, self.usage_since, self.total_grant_usage = 0, instant.at, 0
        balance_at_start = dict(self.balances)
        # What this instant fills anyway is not burned first: the filling would forgive the overage.
        payers = [grant for grant in self.grants if not instant.fills(grant)]
        grant_usages = self._burn(payers, 0) if carried else ()
        self.segments.append(
            Segment(
                kind="rollover",
                start=instant.at,
                end=instant.at,
                balance_at_start=balance_at_start,
                overage_at_start=carried,
                usage=0,
                overage=self.overage,
                grant_usages=grant_usages,
            )
        )

    def _recurring(self, instant: Instant) -> tuple[str, ...]:
        return tuple(grant.id for grant in self.grants if grant.id in instant.recurring)

    def _burn(self, grants: list[Grant], usage: int) -> tuple[GrantUsage, ...]:
        """Burn the open overage and `usage`; what is unpaid is the overage from here on."""
        remaining = [(grant.id, self.balances[grant.id]) for grant in grants if self.balances[grant.id]]
        owed = self.overage + usage
        pieces, self.overage = burn(remaining, owed)
        burned = dict(pieces)
        for grant_id, piece in pieces:
            self.balances[grant_id] -= piece
        self.total_grant_usage += owed - self.overage
        return tuple(
            GrantUsage(
                grant_id,
                burned.get(grant_id, 0),
                UsageEnd.SEGMENT_TERMINATION if self.balances[grant_id] else UsageEnd.EXHAUSTED,
            )
            for grant_id, _ in remaining
        )

    def snapshot(self, at: datetime) -> Snapshot:
        return Snapshot(
            at=at,
            balances=dict(self.balances),
            overage=self.overage,
            usage=self.usage,
            usage_since=self.usage_since,
            total_grant_usage=self.total_grant_usage,
        )

    def result(self, snapshot: Snapshot) -> Result:
        return Result(
            balances=self.balances,
            overage=self.overage,
            usage=self.usage,
            usage_since=self.usage_since,
            total_grant_usage=self.total_grant_usage,
            segments=tuple(self.segments),
            snapshot=snapshot,
        )


class _UsageSums:
    """How much was used in any stretch of time, by prefix sums."""

    def __init__(self, events: Iterable[Event]) -> None:
        ordered = sorted(events, key=lambda event: event.at)
        if any(event.amount < 0 for event in ordered):
            raise BurndownError("usage cannot be negative; what is given back is a grant or a correction")
        self.times = [event.at for event in ordered]
        self.sums = list(accumulate((event.amount for event in ordered), initial=0))

    def between(self, start: datetime, end: datetime) -> int:
        """The usage of ``[start, end)``."""
        return self.sums[bisect_left(self.times, end)] - self.sums[bisect_left(self.times, start)]


def _playing(grants: Collection[Grant], start: Snapshot, until: datetime) -> list[Grant]:
    """The grants this run is about, in burn order: those that touch it or have a balance in it."""
    if len({grant.id for grant in grants}) != len(grants):
        raise BurndownError("two grants have the same id")
    playing = burn_order(grant for grant in grants if grant.id in start.balances or touches(grant, start.at, until))
    if unknown := start.balances.keys() - {grant.id for grant in playing}:
        raise BurndownError(f"the starting snapshot has balances of unknown grants: {sorted(unknown)}")
    begun = {grant.id for grant in playing if grant.effective_at <= start.at}
    if missing := begun - start.balances.keys():
        raise BurndownError(f"the starting snapshot lacks the balances of grants: {sorted(missing)}")
    return playing


def _check_snapshot(start: Snapshot, until: datetime) -> None:
    if until < start.at:
        raise BurndownError(f"a run cannot end at {until}, before it starts at {start.at}")
    if min(start.overage, start.usage, start.total_grant_usage, *start.balances.values()) < 0:
        raise BurndownError("the amounts of a starting snapshot cannot be negative")


def _check_resets(resets: Collection[datetime], start: datetime, until: datetime) -> None:
    for reset in resets:
        if not start < reset <= until:
            raise BurndownError(f"the reset at {reset} is not after the start at {start} and by the end at {until}")
