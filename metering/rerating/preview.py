"""Who and what a re-rating would move, without moving it."""

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from metering.customers import keys_of
from metering.models import CostCard
from metering.rerating import scope as scopes
from metering.rerating.scope import Archived, Scope
from metering.snapshot import snapshot

Cut = Literal["customer", "model", "day"]
CUTS: Final[tuple[Cut, ...]] = ("customer", "model", "day")


class Moved(msgspec.Struct):
    """Calls of one customer, model or day (or all), and what they cost before and after. Nano-USD."""

    calls: int = 0
    """Those that move."""
    newly_priced: int = 0
    before: int = 0
    after: int = 0

    def add(self, *, before: int, delta: int, priced: int) -> None:
        self.calls += 1
        self.newly_priced += priced
        self.before += before
        self.after += before + delta

    @property
    def delta(self) -> int:
        return self.after - self.before


class Preview(msgspec.Struct, frozen=True):
    """What would move, in all and by cut; `examined` calls were looked at."""

    examined: int
    still_unpriced: int
    total: Moved
    by: dict[Cut, dict[str, Moved]]
    archived: Archived


def preview(
    scope: Scope, *, draft: CostCard | None = None, looked_at: Callable[[int], None] = lambda _: None
) -> Preview:
    """Cost the scope's events by the published cards, and by a draft if given, and say what differs.

    One snapshot; `looked_at` is told after each customer how many events were gone through.
    """
    examined = still_unpriced = 0
    total = Moved()
    by: dict[Cut, dict[str, Moved]] = {cut: {} for cut in CUTS}
    with snapshot():
        pricing = scopes.recoster(draft=draft)
        whose = scopes.customers(scope)
        keys = keys_of(whose)
        for customer_id in whose:
            seen = 0
            for event in scopes.all_events(scope, customer_id):
                seen += 1
                move = pricing.move(event)
                if move is None:
                    still_unpriced += event.cost is None
                    continue
                places = (keys[customer_id], event.model, event.occurred_at.date().isoformat())
                for moved in (
                    total,
                    *(by[cut].setdefault(key, Moved()) for cut, key in zip(CUTS, places, strict=True)),
                ):
                    moved.add(before=event.cost or 0, delta=move.delta, priced=move.priced)
            examined += seen
            looked_at(seen)
        return Preview(examined, still_unpriced, total, by, scopes.archived(scope))
