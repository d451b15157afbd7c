"""An operator's cost cards as plain values: what a supplier really charges us, above every list price."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import msgspec

from metering.costing.aliases import provider_key
from metering.costing.rates import Prices, Steps

Match = Literal["equals", "prefix"]


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """One published cost card. It prices the whole call: nothing of the default catalogue is mixed in."""

    card_id: int
    provider: str
    """Empty: any provider."""
    model: str
    match: Match
    processing: str
    """Empty: any mode, at the rates as they stand on the card."""
    region: str
    """Empty: any region."""
    effective_from: datetime
    effective_until: datetime | None
    prices: Prices

    @property
    def label(self) -> str:
        """How an event priced by this card is stamped."""
        return f"card:{self.card_id}"

    def concerns(self, provider: str | None, names: Iterable[str], processing: str, region: str) -> bool:
        """Whether the card is about such calls, at any time. `names` are the model's ids, lower case."""
        return (
            self.provider in ("", provider)
            and self.processing in ("", processing)
            and self.region in ("", region)
            and any(name == self.model or (self.match == "prefix" and name.startswith(self.model)) for name in names)
        )

    def in_force(self, at: datetime) -> bool:
        """Whether the card holds at an instant: [effective_from, effective_until)."""
        return self.effective_from <= at and (self.effective_until is None or at < self.effective_until)

    def rank(self) -> tuple[Any, ...]:
        """The greatest wins: exact model, longer prefix, then provider, mode and region named, then newest."""
        return (
            self.match == "equals",
            len(self.model),
            self.provider != "",
            self.processing != "",
            self.region != "",
            self.effective_from,
            self.card_id,
        )


class CardRow(NamedTuple):
    """One rate of a published card, in the column order of published_cards.sql."""

    card_id: int
    provider: str
    model: str
    match: Match
    processing: str
    region: str
    effective_from: datetime
    effective_until: datetime | None
    kind: str
    above_input_tokens: int
    rate_nanousd_per_million: int


def load_overrides(rows: Iterable[Sequence[Any]]) -> tuple[Override, ...]:
    """Overrides from rows of CardRow's columns, best first.

    A card that gives a kind no base rate starts that kind at its lowest step.
    """
    cards: dict[int, CardRow] = {}
    rates: dict[int, dict[str, dict[int, Fraction]]] = {}
    for row in map(CardRow._make, rows):
        cards[row.card_id] = row
        steps = rates.setdefault(row.card_id, {}).setdefault(row.kind, {})
        steps[row.above_input_tokens] = Fraction(row.rate_nanousd_per_million, 1_000_000)
    found = [
        Override(
            card_id=card.card_id,
            provider=provider_key(card.provider) or "",
            model=card.model.strip().lower(),
            match=card.match,
            processing=card.processing.strip().lower(),
            region=card.region.strip().lower(),
            effective_from=card.effective_from,
            effective_until=card.effective_until,
            prices={kind: _steps(by_length) for kind, by_length in rates[card.card_id].items()},
        )
        for card in cards.values()
    ]
    return tuple(sorted(found, key=Override.rank, reverse=True))


def _steps(by_length: Mapping[int, Fraction]) -> Steps:
    (_, lowest), *higher = sorted(by_length.items())
    return ((0, lowest), *higher)
