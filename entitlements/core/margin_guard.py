"""The margin guard: a floor under what a customer's period is projected to leave, evaluated in the decision.

The figure is worked out above (margins/guard) and kept in process (store/margins.py); a floor says what happens.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from entitlements.core.limits import Limiting
from entitlements.core.margin_figure import Floor, MarginFigure
from kernel.errors import Conflict
from plans.terms import ModelTerms

ACTIONS: Final = ("warn", "downgrade", "deny")
"""Mildest first: below several floors the strictest one counts."""

NO_REVENUE: Final = -(10**9)
"""What is shown as the ratio of a customer who costs and pays nothing: minus a thousand times."""


class Below(msgspec.Struct, frozen=True):
    """The strictest floor the figure is below, and whether the figure is fresh enough to act on."""

    figure: MarginFigure
    floor: Floor
    acts: bool

    def limiting(self) -> Limiting:
        """What said so, in millionths of a margin."""
        ratio = NO_REVENUE if self.figure.ratio_micro is None else self.figure.ratio_micro
        return Limiting(
            limit="margin_guard",
            scope=self.floor.scope,
            unit="margin",
            used=ratio,
            value=self.floor.floor_micro,
            resets_at=self.figure.period_end,
        )


def below(figure: MarginFigure | None, period_start: datetime | None, now: datetime) -> Below | None:
    """The floor that decides now, if the figure is of the current period and below one.

    A floor whose figure is stale decides only where no other is fresh: the figure is worth telling, not acting on.
    """
    if figure is None or figure.period_start != period_start:
        return None
    found = [Below(figure, floor, _acts(figure, floor, now)) for floor in figure.floors if _is_below(figure, floor)]
    return max(found, key=lambda one: (one.acts, ACTIONS.index(one.floor.action)), default=None)


class BelowMarginFloor(Conflict):
    code = "below_margin_floor"
    title = "The customer's projected margin is below a floor that denies"


def require_margin(figure: MarginFigure | None, period_start: datetime | None, now: datetime) -> None:
    """Refuse credits to a lease where a floor denies: no decision sees how they are spent. Raises BelowMarginFloor."""
    found = below(figure, period_start, now)
    if found is not None and found.acts and found.floor.action == "deny":
        raise BelowMarginFloor("what this period is projected to leave is below a floor that denies")


def cheaper(asked: ModelTerms | None, chain: Sequence[ModelTerms]) -> Sequence[ModelTerms]:
    """The models of a fallback chain to go down to: those after the asked one, or of lower tiers than it has."""
    for place, model in enumerate(chain):
        if asked is not None and model.id == asked.id:
            return chain[place + 1 :]
    return [model for model in chain if asked is None or model.tier_rank < asked.tier_rank]


def _is_below(figure: MarginFigure, floor: Floor) -> bool:
    return figure.ratio_micro is None or figure.ratio_micro < floor.floor_micro


def _acts(figure: MarginFigure, floor: Floor, now: datetime) -> bool:
    return floor.trusts_stale or now - figure.computed_at <= timedelta(seconds=floor.freshness_seconds)
