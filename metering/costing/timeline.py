"""Rates over time: which rates hold at an instant, found by bisection."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta

from metering.costing.rates import CostRates

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Timeline:
    """One model's rates in one mode and region, by epoch. An epoch with daily windows holds a row of them."""

    __slots__ = ("_always", "_epochs", "_starts", "_times")

    def __init__(
        self, rates_at: Callable[[datetime], CostRates | None], instants: Iterable[datetime], times: Iterable[time]
    ) -> None:
        """Ask `rates_at` once per epoch: between changes at `instants` and, daily (UTC), at `times`."""
        self._starts = sorted({BEGINNING, *instants})
        self._times = sorted({time(), *times})
        windowed = len(self._times) > 1
        self._epochs = [
            tuple(rates_at(_first_at(start, moment)) for moment in self._times) if windowed else (rates_at(start),)
            for start in self._starts
        ]
        distinct = {id(rates): rates for epoch in self._epochs for rates in epoch}
        self._always: tuple[CostRates | None, ...] | None = tuple(distinct.values()) if len(distinct) == 1 else None

    def at(self, instant: datetime) -> CostRates | None:
        """The rates that hold at an aware instant; None while nothing is listed."""
        if self._always is not None:
            return self._always[0]
        # Before BEGINNING the first epoch holds, as it does before the first listed price.
        epoch = self._epochs[max(0, bisect_right(self._starts, instant) - 1)]
        if len(epoch) == 1:
            return epoch[0]
        return _window(self._times, epoch, instant)


def _window(times: Sequence[time], epoch: Sequence[CostRates | None], instant: datetime) -> CostRates | None:
    return epoch[bisect_right(times, instant.astimezone(UTC).time()) - 1]


def _first_at(start: datetime, moment: time) -> datetime:
    """The first instant of an epoch at which the clock shows a time: a date of the epoch, not before it."""
    same_day = datetime.combine(start.date(), moment, UTC)
    return same_day if same_day >= start else same_day + timedelta(days=1)
