"""A second engine to compare with: every tick in turn, every event by itself, no segments, no hurry."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from entitlements.burndown import Event, Grant, Snapshot

TICK = timedelta(hours=6)
"""All but events happens at whole ticks."""

INTERVALS = {"PT6H": 1, "P1D": 4, "P1W": 28}
"""How many ticks lie between recurrences."""

NEVER = datetime.max.replace(tzinfo=UTC)


def active(grant: Grant, now: datetime) -> bool:
    return grant.effective_at <= now < min(grant.expires_at or NEVER, grant.voided_at or NEVER)


def recurs(grant: Grant, now: datetime) -> bool:
    if grant.recurrence is None or not active(grant, now):
        return False
    return (now - grant.recurrence.anchor) // TICK % INTERVALS[grant.recurrence.interval] == 0


class Plodder:
    """Balances and overage, moved one happening at a time."""

    def __init__(self, grants: Iterable[Grant], start: Snapshot) -> None:
        self.grants = sorted(grants, key=lambda g: (g.priority, g.expires_at or NEVER, g.created_at, g.id))
        self.balances = {grant.id: start.balances.get(grant.id, 0) for grant in self.grants}
        self.overage = start.overage

    def plod(
        self, events: Iterable[Event], *, ticks: Sequence[datetime], resets: Sequence[datetime], preserve_overage: bool
    ) -> None:
        """Go from the first tick to the last."""
        for now in ticks:
            if now in resets:
                self.reset(now, preserve_overage=preserve_overage)
            if now < ticks[-1] or now in resets or any(recurs(grant, now) for grant in self.grants):
                self.begin(now)
            if now < ticks[-1]:
                for event in sorted(events, key=lambda event: event.at):
                    if now <= event.at < now + TICK:
                        self.overage += self.pay(event.amount, self.grants)

    def filled(self, now: datetime) -> list[Grant]:
        return [g for g in self.grants if active(g, now) and (g.effective_at == now or recurs(g, now))]

    def reset(self, now: datetime, *, preserve_overage: bool) -> None:
        for grant in self.grants:
            kept = max(grant.rollover_min, self.balances[grant.id])
            if grant.rollover_max is not None:
                kept = min(grant.rollover_max, kept)
            self.balances[grant.id] = kept if active(grant, now) and grant.effective_at < now else 0
        filled = self.filled(now)
        owed = self.overage if preserve_overage else 0
        self.overage = self.pay(owed, [grant for grant in self.grants if grant not in filled])

    def begin(self, now: datetime) -> None:
        for grant in self.grants:
            if not active(grant, now):
                self.balances[grant.id] = 0
        for grant in self.filled(now):
            self.balances[grant.id] = grant.amount
        self.overage = self.pay(self.overage, self.grants)

    def pay(self, amount: int, payers: Iterable[Grant]) -> int:
        for grant in payers:
            piece = min(amount, self.balances[grant.id])
            self.balances[grant.id] -= piece
            amount -= piece
        return amount
