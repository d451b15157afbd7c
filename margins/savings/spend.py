"""Usage events, summed as far as their prices allow, and what they would cost at other prices. Pure."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from fractions import Fraction
from operator import mul
from typing import Any, Final, NamedTuple

import msgspec

from kernel.usage import FIELDS, Usage, split
from metering.costing import Call, CostCatalogue, CostRates
from metering.costing.rates import UNPRICED

STEPS: Final = (32_000, 100_000, 128_000, 199_999, 200_000, 256_000, 272_000, 512_000, 524_288)
"""Input tokens above which some price list has other rates: calls on two sides of one are not summed."""

CACHED: Final = ("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
CACHED_MODALITIES: Final = ("cache_read_audio_tokens", "cache_read_image_tokens", "cache_read_video_tokens")


class Task(NamedTuple):
    """What calls are for: a feature, and the action it does with them ("" where usage names none)."""

    feature: str
    action: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model as suppliers price it, with the name and tier it is sold under; rank 0: in no tier."""

    key: str
    provider: str
    reported: str
    tier: str = ""
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Spend:
    """Calls of one task on one model in one mode on one UTC day, between the same price steps.

    `cost_nanousd` is what `priced_calls` of them cost, re-ratings included.
    """

    day: date
    task: Task
    model: Model
    processing: str
    region: str
    step: int
    memoised: bool
    calls: int
    priced_calls: int
    cost_nanousd: int
    usage: Usage

    @property
    def is_batch(self) -> bool:
        return self.processing in {"batch", "flex"}


def uncached(usage: Usage) -> Usage:
    """The same tokens, had none of them been written to or read from a prompt cache."""
    return msgspec.structs.replace(usage, **dict.fromkeys((*CACHED, *CACHED_MODALITIES), 0))


class Prices:
    """What a spend costs at list prices or cards: as it was, in another mode, on another model, with other caching."""

    def __init__(self, catalogue: CostCatalogue) -> None:
        self._catalogue = catalogue

    def cost(
        self,
        spend: Spend,
        *,
        model: Model | None = None,
        processing: str | None = None,
        usage: Usage | None = None,
    ) -> Fraction | None:
        """Nano-USD at the rates of the day's beginning; None where something used has no rate."""
        found = self.rates(spend, model=model, processing=processing)
        if found is None:
            return None
        # The fewest input tokens of the step: the band prices every call of it alike.
        band = found.band(spend.step)
        total = sum(map(mul, band.fields(spend.usage if usage is None else usage), band.weights))
        return None if total >= UNPRICED else Fraction(total + band.fee * spend.calls, band.denominator)

    def rates(self, spend: Spend, *, model: Model | None = None, processing: str | None = None) -> CostRates | None:
        """The rates the spend has, or would have."""
        mode = spend.processing if processing is None else processing
        return self.on(spend.day, spend.model if model is None else model, mode, spend.region if model is None else "")

    def on(self, day: date, model: Model, mode: str, region: str) -> CostRates | None:
        """The rates at a day's beginning."""
        at = datetime.combine(day, time.min, UTC)
        return self._catalogue.rates(
            Call(model.provider or None, model.reported or None, at, mode or None, region or None)
        )

    def per_token(self, spend: Spend) -> Mapping[str, Fraction] | None:
        """Nano-USD for a token of each kind, in the standard mode: what caching is weighed with."""
        found = self.rates(spend, processing="standard")
        if found is None:
            return None
        band = found.band(spend.step)
        prices = {kind: band.numerators.get(_priced_as(kind, band.numerators)) for kind in ("input_tokens", *CACHED)}
        if None in prices.values():
            return None
        return {kind: Fraction(price or 0, band.denominator) for kind, price in prices.items()}


def _priced_as(kind: str, priced: Container[str]) -> str:
    """The kind whose rate a token of this kind costs: its own, or the one it counts as without."""
    (part,) = split(Usage(**{"input_tokens": 1, kind: 1}), priced)
    return part


def merged(spends: Sequence[Spend], prices: Prices) -> list[Spend]:
    """The same calls with fewer rows: days are added up as long as no price of any of their models changes."""
    modes = {
        (spend.model, mode, region)
        for spend in spends
        for mode in (spend.processing, "standard", "batch")
        for region in (spend.region, "")
    }
    first_days: dict[date, date] = {}
    first, before = date.min, None
    for day in sorted({spend.day for spend in spends}):
        # The catalogue gives one object for the same rates at several instants.
        now = [id(prices.on(day, *mode)) for mode in modes]
        if now != before:
            first, before = day, now
        first_days[day] = first
    sums: dict[Spend, list[Any]] = {}
    for spend in spends:
        blank = replace(spend, day=first_days[spend.day], calls=0, priced_calls=0, cost_nanousd=0, usage=_NO_USAGE)
        row = sums.setdefault(blank, [0, 0, 0, [0] * len(FIELDS)])
        row[0] += spend.calls
        row[1] += spend.priced_calls
        row[2] += spend.cost_nanousd
        row[3] = [mine + more for mine, more in zip(row[3], msgspec.structs.astuple(spend.usage), strict=True)]
    return [
        replace(
            blank,
            calls=calls,
            priced_calls=priced,
            cost_nanousd=cost,
            usage=Usage(**dict(zip(FIELDS, counts, strict=True))),
        )
        for blank, (calls, priced, cost, counts) in sums.items()
    ]


_NO_USAGE: Final = Usage()
