"""The ledger as a customer reads it: what happened, and what paid for it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from entitlements.core.words import EntryKind
from entitlements.models import CreditGrant, LedgerEntry
from entitlements.queries.ledger import entries_of
from metering.models import UsageEvent
from plans.models import Feature
from portal.queries.grants import grants_named

PAGE: Final = 50


class Line(NamedTuple):
    """An entry with what it is about. `event` is None where there is none, or where it has left for the archive."""

    entry: LedgerEntry
    kind: EntryKind
    grant: CreditGrant | None
    event: UsageEvent | None
    feature: str


class Page(NamedTuple):
    """Lines, newest first, and where the next page begins (None: nowhere)."""

    lines: Sequence[Line]
    older: int | None


def page_of(customer_id: int, before: int | None) -> Page:
    """The entries before a number, the newest first."""
    entries = entries_of(customer_id).order_by("-seq")
    if before is not None:
        entries = entries.filter(seq__lt=before)
    rows = list(entries[: PAGE + 1])
    shown = rows[:PAGE]
    grants = grants_named(customer_id, (entry.grant_id for entry in shown))
    events = _events(customer_id, shown)
    features = dict(
        Feature.objects.filter(pk__in={event.feature_id for event in events.values()}).values_list("id", "name")
    )
    lines = []
    for entry in shown:
        event = events.get(entry.event_digest)
        grant = grants.get(entry.grant_id) if entry.grant_id else None
        feature = features.get(event.feature_id, "") if event else ""
        lines.append(Line(entry, EntryKind(entry.kind), grant, event, feature))
    return Page(lines, shown[-1].seq if len(rows) > PAGE else None)


def _events(customer_id: int, entries: Sequence[LedgerEntry]) -> dict[object, UsageEvent]:
    digests = {entry.event_digest for entry in entries if entry.event_digest is not None}
    if not digests:
        return {}
    events = UsageEvent.objects.filter(customer_id=customer_id, key_digest__in=digests)
    return {event.key_digest: event for event in events}
