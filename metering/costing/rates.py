"""Exact costing: counts times rates, in integers, rounded once per event.

A rate may be any fraction (an hour of audio over milliseconds, a catalogue's 0.0833333333333333), so
all rates of a card are brought to one denominator and the cost is one integer division at the
end, half to even, to the nano-USD.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import lcm
from operator import attrgetter, mul
from typing import Final

from kernel.units import NanoUsd
from kernel.usage import COUNTS, FIELDS, PARENT, Usage, split

REQUESTS: Final = "requests"
"""The kind of a fee per call."""

KINDS: Final = frozenset(FIELDS) | {REQUESTS}

Steps = tuple[tuple[int, Fraction], ...]
"""A kind's nano-USD per unit, by how many input tokens a call must have more than: ((0, base), (200_000, higher), …).

The step a call is on prices all of the kind's units, not only those past the threshold.
"""

Prices = Mapping[str, Steps]


class CostRates:
    """The rates of one card for one model, mode, region and instant, ready to multiply.

    Built once and kept; `cost` is called with it for every event.
    """

    __slots__ = ("_bands", "_minimums", "base", "cost_card")

    def __init__(self, cost_card: str, prices: Prices, minimums: Mapping[str, int] | None = None) -> None:
        """`minimums` are the least quantities billed of a kind once there is any of it."""
        unknown = prices.keys() - KINDS
        if unknown:
            raise ValueError(f"{sorted(unknown)} are not kinds of usage")
        prices = _inherited(prices)
        thresholds = sorted({above for steps in prices.values() for above, _ in steps} | {0})
        self.cost_card = cost_card
        self._minimums = dict(minimums or {})
        self.base = _Band(thresholds[0], prices)
        self._bands = tuple(_Band(above, prices) for above in reversed(thresholds[1:]))

    def band(self, input_tokens: int) -> "_Band":
        """The rates for a call of this length: the highest threshold it is above."""
        for band in self._bands:
            if input_tokens > band.above:
                return band
        return self.base

    def billed(self, usage: Usage) -> Usage:
        """The usage with the least billed quantities applied."""
        low = {kind: least for kind, least in self._minimums.items() if 0 < getattr(usage, kind) < least}
        if not low:
            return usage
        return Usage(**{name: low.get(name, getattr(usage, name)) for name in FIELDS})


def cost(usage: Usage, rates: CostRates) -> NanoUsd | None:
    """What the usage cost, in nano-USD; None where something was used that has no rate.

    A kind without a rate of its own counts at its nearest parent's (kernel.usage.PARENT). One that has
    no rate up the whole chain, searches and seconds included, makes the event unpriced: never zero.
    """
    if rates._minimums:  # noqa: SLF001 - one module, one class taken apart for speed
        usage = rates.billed(usage)
    band = rates.base if not rates._bands else rates.band(usage.input_tokens)  # noqa: SLF001
    total = sum(map(mul, band.fields(usage), band.weights), band.fee)
    if total >= UNPRICED:
        return _cost_by_kind(usage, band)
    return NanoUsd(total) if band.denominator == 1 else _rounded(total, band.denominator)


UNPRICED: Final = 1 << 200
"""The weight of a field that may have no rate: any of it lifts the sum above whatever could be charged."""


class _Band:
    """Rates of one context length as one weight per usage field, so that a cost is one dot product.

    Disjoint quantities are linear in the fields, so a field's weight is what one unit of it adds:
    cached tokens, for one, add their own rate and take away input's.
    """

    __slots__ = ("above", "denominator", "fee", "fields", "numerators", "weights")

    def __init__(self, above: int, prices: Prices) -> None:
        rates = {kind: next(rate for at, rate in reversed(steps) if at <= above) for kind, steps in prices.items()}
        self.above = above
        self.denominator = lcm(*(rate.denominator for rate in rates.values()))
        self.numerators = {kind: int(rate * self.denominator) for kind, rate in rates.items()}
        self.fee = self.numerators.get(REQUESTS, 0)
        weights = {name: self._weight(name) for name in FIELDS}
        # Input and output always: attrgetter answers a bare value for one name alone.
        used = [name for name in FIELDS if weights[name] or name in ("input_tokens", "output_tokens")]
        self.weights = tuple(weights[name] for name in used)
        self.fields: Callable[[Usage], tuple[int, ...]] = attrgetter(*used)

    def _weight(self, field: str) -> int:
        parts = split(Usage(**{field: 1}), self.numerators.keys())
        if parts.keys() - self.numerators.keys():
            return UNPRICED
        return sum(self.numerators[kind] * count for kind, count in parts.items())


def _cost_by_kind(usage: Usage, band: _Band) -> NanoUsd | None:
    quantities = split(usage, band.numerators.keys())
    if quantities.keys() - band.numerators.keys():
        return None
    total = sum(band.numerators[kind] * quantity for kind, quantity in quantities.items())
    return _rounded(total + band.fee, band.denominator)


def _rounded(numerator: int, denominator: int) -> NanoUsd:
    """Half to even: summed over many events it favours neither side."""
    whole, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and whole & 1):
        whole += 1
    return NanoUsd(whole)


def _inherited(prices: Prices) -> Prices:
    """Cached audio (or image) tokens of a model that prices audio but not caching are audio, not text."""
    filled = dict(prices)
    for modality in ("audio", "image"):
        cached, whole = f"cache_read_{modality}_tokens", f"input_{modality}_tokens"
        if whole in prices and cached not in prices and PARENT[cached] not in prices:
            filled[cached] = prices[whole]
    return filled


def usd_per_million(usd: Fraction | str | int) -> Fraction:
    """A price list's dollars per million units, as nano-USD per unit."""
    return Fraction(usd) * 1000


def flat(rate: Fraction) -> Steps:
    """One rate at any context length."""
    return ((0, rate),)


def scaled(prices: Prices, factor: Fraction, kinds: frozenset[str] | None = None) -> dict[str, Steps]:
    """Prices times a factor: of the given kinds, or of every token kind. Searches and fees keep theirs."""
    chosen = kinds if kinds is not None else TOKEN_KINDS
    return {
        kind: tuple((above, rate * factor) for above, rate in steps) if kind in chosen else steps
        for kind, steps in prices.items()
    }


TOKEN_KINDS: Final = frozenset(FIELDS) - frozenset(COUNTS)
