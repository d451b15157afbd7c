"""How long the credits last if burning goes on as it did lately. Pure.

Lots are what grants hold, in burn order. A lot that expires takes what is left of it along, so credits can run out
sooner than balance ÷ burn says. No renewal is assumed: that is what runway is compared with.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from entitlements.burndown import burn

DAY: Final = timedelta(days=1)

LATELY: Final = timedelta(days=7)
"""The current burn is that of the last seven days: a week has its weekend."""


class Lot(NamedTuple):
    """Credits that may be burned until they expire. Microcredits."""

    amount: int
    expires_at: datetime | None


class Point(NamedTuple):
    """How much will be left at an instant."""

    at: datetime
    left: int


class Outlook(NamedTuple):
    """What is left at each turn of the line, and when nothing will be; None: not before the end that was asked for."""

    points: list[Point]
    runs_out_at: datetime | None


def burn_per_day(used: int, since: datetime, now: datetime) -> Fraction:
    """Microcredits a day, given what was used since an instant. What began less than a day ago counts as a day's."""
    tick = timedelta(microseconds=1)
    return Fraction(used * (DAY // tick), max(now - since, DAY) // tick)


def outlook(lots: Sequence[Lot], owed: int, per_day: Fraction, *, now: datetime, until: datetime) -> Outlook:
    """What is left from `now` to `until`. `owed` is what is set aside or in debt: it is taken from the lots first."""
    left = [(lot, lot.amount) for lot in lots if lot.expires_at is None or lot.expires_at > now]
    left, points = _without(left, owed), []
    at = now
    while True:
        total = sum(amount for _, amount in left)
        points.append(Point(at, total))
        if at >= until:
            return Outlook(points, None)
        if not total:
            return Outlook([*points, Point(until, 0)], at)
        expiries = [lot.expires_at for lot, _ in left if lot.expires_at is not None]
        end = min([until, *expiries])
        used = int(per_day * ((end - at) / DAY))
        if used >= total:
            out_at = at + timedelta(days=float(total / per_day))
            return Outlook([*points, Point(out_at, 0), Point(until, 0)], out_at)
        left = _without(left, used)
        before = sum(amount for _, amount in left)
        left = [(lot, amount) for lot, amount in left if lot.expires_at is None or lot.expires_at > end]
        if sum(amount for _, amount in left) != before:
            points.append(Point(end, before))  # the line falls here, straight down
        at = end


def _without(left: list[tuple[Lot, int]], amount: int) -> list[tuple[Lot, int]]:
    """The lots after burning an amount from the first of them."""
    pieces, _ = burn([(number, held) for number, (_, held) in enumerate(left)], amount)
    burned = dict(pieces)
    rest = [(lot, held - burned.get(number, 0)) for number, (lot, held) in enumerate(left)]
    return [(lot, held) for lot, held in rest if held]
