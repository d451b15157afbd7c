"""What an action costs, in microcredits. Pure and exact.

A charge is the row's action price plus Σ quantity × rate over the disjoint kinds of
`kernel.usage.split`, summed exactly and rounded once. The row is the most specific one of the card:
feature and model, feature and tier, feature, model, tier, everything.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter, mul
from typing import Final

import msgspec

from kernel.usage import FIELDS, Usage, split
from plans.terms import ModelTerms, RateCardTerms, RateTerms, Selector

MILLION: Final = 1_000_000
TOTALS: Final = ("input_tokens", "output_tokens")


class Charge(msgspec.Struct, frozen=True, gc=False):
    """What an action costs and the rate row that says so."""

    microcredits: int
    rate_id: int


class Pricer:
    """A rate row with the card's rounding, worked out once so that pricing an event is one dot product.

    `split` is linear in the counts of a usage, so the row's price is Σ count × weight, where a
    count's weight is what one more of it adds: a cache read adds its own rate and takes away the
    input rate it would have been charged at inside `input_tokens`.
    """

    __slots__ = ("action", "divisor", "increment", "minimum", "quantities", "rate", "round", "weights")

    def __init__(self, card: RateCardTerms, rate: RateTerms) -> None:
        weights = {name: weight(rate, name) for name in FIELDS}
        # The totals are always read, priced or not: attrgetter answers a tuple only from two names on.
        names = [name for name in FIELDS if weights[name] or name in TOTALS]
        self.quantities: Callable[[Usage], tuple[int, ...]] = attrgetter(*names)
        self.weights = tuple(weights[name] for name in names)
        self.rate = rate
        self.action = rate.action_microcredits * MILLION
        self.increment = card.increment
        self.divisor = card.increment * MILLION
        self.round = ROUNDINGS[card.rounding]
        # A minimum between two increments is not sellable: the next one up is.
        self.minimum = -(-rate.minimum_microcredits // card.increment) * card.increment

    def exact(self, usage: Usage) -> int:
        """The charge before rounding and minimum, in millionths of a microcredit."""
        tokens: int = sum(map(mul, self.weights, self.quantities(usage)))
        return self.action + tokens

    def microcredits(self, usage: Usage) -> int:
        """The charge."""
        rounded = self.round(self.exact(usage), self.divisor) * self.increment
        return max(rounded, self.minimum)


def weight(rate: RateTerms, name: str) -> int:
    """What one more of the count `name` adds to the price, in microcredits per million."""
    one = split(Usage(**{name: 1}), rate.per_million)
    return sum(quantity * rate.per_million.get(kind, 0) for kind, quantity in one.items())


def _up(numerator: int, divisor: int) -> int:
    return -(-numerator // divisor)


def _down(numerator: int, divisor: int) -> int:
    return numerator // divisor


def _half_up(numerator: int, divisor: int) -> int:
    return (2 * numerator + divisor) // (2 * divisor)


def _half_even(numerator: int, divisor: int) -> int:
    quotient, remainder = divmod(numerator, divisor)
    return quotient + (2 * remainder > divisor or (2 * remainder == divisor and quotient % 2))


ROUNDINGS: Final[dict[str, Callable[[int, int], int]]] = {
    "up": _up,
    "half_up": _half_up,
    "half_even": _half_even,
    "down": _down,
}
"""Division to a whole number, by the name a rate card version gives. Numerators are never negative."""


def selectors(feature_id: int, model: ModelTerms | None) -> Iterator[Selector]:
    """What a rate row may apply to for this action, most specific first."""
    if model is not None:
        yield feature_id, model.id, None
        yield feature_id, None, model.tier_id
    yield feature_id, None, None
    if model is not None:
        yield None, model.id, None
        yield None, None, model.tier_id
    yield None, None, None


def pricer(card: RateCardTerms, feature_id: int, model: ModelTerms | None) -> Pricer | None:
    """The row of the card that prices this action, or None. Remembered on the card's terms.

    At most one entry per feature and model of the catalogue, so it stays small.
    """
    # The tier is part of the key: a model may move to another tier while a card stays loaded.
    known = (feature_id, None, None) if model is None else (feature_id, model.id, model.tier_id)
    pricers: dict[Selector, Pricer | None] = card.pricers
    if known in pricers:
        return pricers[known]
    row = next((card.by_selector[key] for key in selectors(feature_id, model) if key in card.by_selector), None)
    found = pricers[known] = None if row is None else Pricer(card, row)
    return found


def rate(card: RateCardTerms, *, feature_id: int, model: ModelTerms | None, usage: Usage) -> Charge | None:
    """What the action costs, or None when no row of the card matches it (it is unrated, not free).

    `usage` is what was used, or an estimate of it. Counts must be consistent (kernel.usage.check).
    """
    found = pricer(card, feature_id, model)
    return None if found is None else Charge(found.microcredits(usage), found.rate.id)
