"""How a charge comes about, line by line, for a reader. Pure; the amounts are rating's own.

Lines are exact. What they leave over is the card's rounding and the row's minimum, each shown once.
"""

import msgspec

from kernel.units import MICROCREDITS_PER_CREDIT
from kernel.usage import Usage, split
from plans.rating import MILLION, pricer
from plans.terms import ModelTerms, RateCardTerms, RateTerms


class ChargeLine(msgspec.Struct, frozen=True, gc=False):
    """A usage kind's part of the charge. `microcredits_per_million` is None where the row has no rate for it."""

    kind: str
    quantity: int
    microcredits_per_million: int | None
    credits: str
    """Exact, not rounded."""


class Breakdown(msgspec.Struct, frozen=True):
    """A charge and everything that went into it."""

    card: RateCardTerms
    rate: RateTerms
    action_microcredits: int
    lines: tuple[ChargeLine, ...]
    exact_credits: str
    """The action and the lines together, before rounding and minimum."""
    microcredits: int
    """What is charged."""
    minimum_applies: bool
    """Whether the charge is the row's minimum, not its rounded sum."""


def breakdown(card: RateCardTerms, *, feature_id: int, model: ModelTerms | None, usage: Usage) -> Breakdown | None:
    """The charge of `rating.rate`, explained; None where that answers None."""
    found = pricer(card, feature_id, model)
    if found is None:
        return None
    prices = found.rate.per_million
    lines = tuple(
        ChargeLine(kind, quantity, prices.get(kind), as_credits(quantity * prices.get(kind, 0)))
        for kind, quantity in split(usage, prices).items()
    )
    exact, charged = found.exact(usage), found.microcredits(usage)
    rounded = found.round(exact, found.divisor) * found.increment
    return Breakdown(
        card=card,
        rate=found.rate,
        action_microcredits=found.rate.action_microcredits,
        lines=lines,
        exact_credits=as_credits(exact),
        microcredits=charged,
        minimum_applies=charged > rounded,
    )


def as_credits(millionths_of_microcredits: int) -> str:
    """An exact product as the shortest decimal string of credits: twelve places at most."""
    whole, fraction = divmod(millionths_of_microcredits, MILLION * MICROCREDITS_PER_CREDIT)
    return f"{whole}.{fraction:012d}".rstrip("0").rstrip(".")
