"""Finding the rates of a call: the operator's cost cards, then our corrections, then the default catalogue."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

import msgspec

from kernel.units import NanoUsd
from kernel.usage import Usage
from metering.costing.corrections import Corrections, shipped
from metering.costing.overrides import Override
from metering.costing.rates import CostRates, cost
from metering.costing.resolution import Key, resolve
from metering.costing.timeline import Timeline
from metering.readers.reading import Reading

MOST_TIMELINES: Final = 5_000
"""Model names come from callers: past this many, what was resolved is forgotten and resolved again."""


class Call(NamedTuple):
    """What decides a call's rates, beside what it used."""

    provider: str | None
    model: str | None
    at: datetime
    processing: str | None = None
    region: str | None = None


class Costed(msgspec.Struct, frozen=True, gc=False):
    """A cost and the card it was computed from. Unpriced: None and no card."""

    nanousd: NanoUsd | None
    cost_card: str


UNPRICED: Final = Costed(None, "")


class CostCatalogue:
    """Everything known about what suppliers charge, at a fixed state of cards, corrections and list prices.

    Immutable: another set of cards is another catalogue. Resolved rates are kept, so a second event of
    a model costs one dictionary look-up and one bisection.
    """

    def __init__(self, overrides: Sequence[Override] = (), corrections: Corrections | None = None) -> None:
        self._overrides = tuple(sorted(overrides, key=Override.rank, reverse=True))
        self._corrections = corrections or shipped()
        self._timelines: dict[Key, Timeline] = {}

    def rates(self, call: Call) -> CostRates | None:
        """The rates of a call; None when nobody lists its model. Never raises for a name it does not know."""
        provider, model, at, processing, region = call
        key = (provider, model, processing, region)
        timeline = self._timelines.get(key)
        if timeline is None:
            timeline = self._resolve(key)
        return timeline.at(at)

    def cost(self, usage: Usage, call: Call) -> Costed:
        """What a call cost, and by which card. Unpriced where the model, or something it used, has no rate."""
        rates = self.rates(call)
        nanousd = None if rates is None else cost(usage, rates)
        return UNPRICED if nanousd is None or rates is None else Costed(nanousd, rates.cost_card)

    def cost_reading(self, reading: Reading, call: Call) -> Costed:
        """What a response cost, calls to other models made inside it included."""
        outer = self.cost(reading.usage, call)
        inner = [self.cost(one.usage, call._replace(model=one.model)) for one in reading.inner]
        if outer.nanousd is None or any(one.nanousd is None for one in inner):
            return UNPRICED
        return Costed(NanoUsd(outer.nanousd + sum(one.nanousd or 0 for one in inner)), outer.cost_card)

    def cost_many(self, events: Iterable[tuple[Usage, Call]]) -> list[Costed]:
        """The costs of many calls, in order."""
        timelines, resolved = self._timelines, self._resolve
        costs = []
        for usage, (provider, model, at, processing, region) in events:
            key = (provider, model, processing, region)
            rates = (timelines.get(key) or resolved(key)).at(at)
            nanousd = None if rates is None else cost(usage, rates)
            costs.append(UNPRICED if nanousd is None or rates is None else Costed(nanousd, rates.cost_card))
        return costs

    def _resolve(self, key: Key) -> Timeline:
        if len(self._timelines) >= MOST_TIMELINES:
            self._timelines.clear()
        timeline = resolve(key, self._overrides, self._corrections)
        self._timelines[key] = timeline
        return timeline


@cache
def default_catalogue() -> CostCatalogue:
    """List prices with our corrections, no cards: what a test, a script or a fresh install prices with."""
    return CostCatalogue()
