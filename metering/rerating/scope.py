"""Which events a re-rating is about, and by which cards it prices them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from kernel.sql_files import sql_file
from metering.costing import Override, load_overrides
from metering.costing.defaults import LABEL
from metering.costing.queries import PUBLISHED_CARDS
from metering.models import CostCard, CostRate
from metering.rerating.core import PastEvent, Recoster

LIST_PRICES: Final = LABEL

_OTHER_USAGE: Final = PastEvent._fields.index("other_usage")


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """UTC days [starts_on, ends_on), and whose calls of which model; None and "" are everybody's and any."""

    starts_on: date
    ends_on: date
    customer_id: int | None = None
    model: str = ""
    unpriced_only: bool = False


class Cursor(NamedTuple):
    """How far a customer's events have been gone through, in their order in time."""

    at: datetime | None = None
    digest: UUID | None = None


class Archived(NamedTuple):
    """Calls of the scope that have left for the archive: what they cost is no longer moved."""

    calls: int
    unpriced_calls: int


def customers(scope: Scope, from_customer: int = 0) -> list[int]:
    """Who has usage in the scope, in the order of ids, from one on."""
    return [row[0] for row in _rows("rerate_customers", _params(scope) | {"from_customer": from_customer})]


def events(scope: Scope, customer_id: int, after: Cursor, most: int) -> list[PastEvent]:
    """A customer's next events of the scope."""
    where = {"customer_id": customer_id, "after_at": after.at, "after_digest": after.digest, "most": most}
    return [_event(row) for row in _rows("rerate_events", _params(scope) | where)]


def all_events(scope: Scope, customer_id: int, batch: int = 5_000) -> Iterator[PastEvent]:
    """All of a customer's events of the scope, read batch by batch."""
    after: Cursor = Cursor()
    while found := events(scope, customer_id, after, batch):
        yield from found
        after = Cursor(found[-1].occurred_at, found[-1].key_digest)


def archived(scope: Scope) -> Archived:
    """What of the scope is out of reach."""
    (row,) = _rows("rerate_archived", _params(scope))
    return Archived(*row)


def published_cards() -> tuple[Override, ...]:
    """Every published cost card, ended ones included."""
    with connection.cursor() as cursor:
        cursor.execute(PUBLISHED_CARDS)
        return load_overrides(cursor.fetchall())


def draft_card(card: CostCard) -> tuple[Override, ...]:
    """A draft as it would price once published; nothing while it has no rates."""
    rates = CostRate.objects.filter(card=card)
    head = (card.pk, card.provider, card.model, card.match, card.processing, card.region)
    dates = (card.effective_from.astimezone(UTC), card.effective_until)
    return load_overrides(
        (*head, *dates, rate.kind, rate.above_input_tokens, rate.rate_nanousd_per_million) for rate in rates
    )


def recoster(card_ids: Sequence[int] | None = None, draft: CostCard | None = None) -> Recoster:
    """What prices by these published cards (all unless told), and by a draft as if it were one of them."""
    published = published_cards()
    cards = published if card_ids is None else tuple(card for card in published if card.card_id in set(card_ids))
    return Recoster((*cards, *(draft_card(draft) if draft else ())), published)


def _params(scope: Scope) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(scope),
        "start": datetime.combine(scope.starts_on, time.min, UTC),
        "end": datetime.combine(scope.ends_on, time.min, UTC),
    }


def _event(row: Sequence[Any]) -> PastEvent:
    other = row[_OTHER_USAGE]
    if other is None:
        return PastEvent._make(row)
    return PastEvent._make(row)._replace(other_usage=msgspec.json.decode(other))


def _rows(name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql_file("metering", name), params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
