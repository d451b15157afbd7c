"""What an event costs by other cards than it was stamped with. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from kernel.usage import COLUMN_FIELDS, Usage
from metering.costing import Call, CostCatalogue, CostRates, Override, cost

_NO_USAGE: Final = Usage()


class PastEvent(NamedTuple):
    """A stored event that may have reached a supplier, in the column order of rerate_events.sql. Costs in nano-USD."""

    key_digest: UUID
    occurred_at: datetime
    plan_version_id: int
    feature_id: int
    model: str
    user_key: str
    provider: str
    reported_model: str
    processing: str
    region: str
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    other_usage: dict[str, int] | None
    computed: int | None
    reported: int | None
    cost_card: str
    moved: int
    """What earlier adjustments have added to its cost."""
    moved_computed: int
    priced: int
    """1 when an earlier adjustment gave it the cost it had lacked."""

    @property
    def usage(self) -> Usage:
        counts: dict[str, Any] = {name: getattr(self, name) for name in COLUMN_FIELDS}
        return Usage(**counts, **(self.other_usage or {}))

    @property
    def stamped(self) -> int | None:
        """The cost it was stored with: the provider's own figure where there is one."""
        return self.computed if self.reported is None else self.reported

    @property
    def cost(self) -> int | None:
        """What it costs as of now, adjustments included; None while it is unpriced."""
        return (self.stamped or 0) + self.moved if self.stamped is not None or self.priced else None


class Move(NamedTuple):
    """What changes: nano-USD to add to the event's cost and to our own figure, and 1 where there was no cost."""

    delta: int
    delta_computed: int
    priced: int
    cost_card: str


class Recoster:
    """Costs past events by one fixed set of cards above the list prices.

    `stamped_by` holds every published card, those no longer in force included: what an event was
    stamped with can be worked out again, and with it what the stamp holds beside the call itself.
    """

    def __init__(self, cards: Iterable[Override], stamped_by: Iterable[Override]) -> None:
        self._catalogue = CostCatalogue(tuple(cards))
        self._list_prices = CostCatalogue()
        self._stamps = {card.label: CostRates(card.label, card.prices) for card in stamped_by}

    def move(self, event: PastEvent) -> Move | None:
        """What the event's cost moves by; None when it stays.

        Whoever has no price by these cards keeps what it has: unknown is never a correction.
        """
        usage = event.usage
        provider, beside = self._as_stamped(event, usage)
        costed = self._catalogue.cost(usage, _call(event, provider))
        if costed.nanousd is None:
            return None
        computed = event.computed if costed.cost_card == event.cost_card else costed.nanousd + beside
        if computed is None:
            return None
        delta_computed = computed - (event.computed or 0) - event.moved_computed
        if event.reported is not None:
            # The provider's own figure outranks ours: it stands, whatever our cards say.
            return Move(0, delta_computed, 0, costed.cost_card) if delta_computed else None
        priced = int(event.cost is None)
        if not delta_computed and not priced:
            return None
        return Move(delta_computed, delta_computed, priced, costed.cost_card)

    def _as_stamped(self, event: PastEvent, usage: Usage) -> tuple[str | None, int]:
        """The provider the stamp was worked out with, and what it holds beside the call: calls made inside it.

        An event may name the provider its model's family has, where the report named none; the spelling
        that gives the stamp again is the one.
        """
        given = event.provider or None
        if event.computed is None:
            return given, 0
        for provider in (given, None):
            if self._by_stamp(event, usage, provider) == event.computed:
                return provider, 0
        outer = self._by_stamp(event, usage, given)
        return given, 0 if outer is None else max(0, event.computed - outer)

    def _by_stamp(self, event: PastEvent, usage: Usage, provider: str | None) -> int | None:
        """The call alone by the card of its stamp; None where that card cannot be read any more."""
        rates = self._stamps.get(event.cost_card)
        if rates is not None:
            return cost(usage, rates)
        costed = self._list_prices.cost(usage, _call(event, provider))
        return costed.nanousd if costed.cost_card == event.cost_card else None


def _call(event: PastEvent, provider: str | None) -> Call:
    return Call(provider, event.reported_model, event.occurred_at, event.processing or None, event.region or None)
