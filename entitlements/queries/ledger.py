"""The ledger as readers want it: words for numbers, and the caller's own keys."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db.models import QuerySet

from entitlements.models import LedgerEntry
from metering.models import UsageEvent


def entries_of(customer_id: int) -> "QuerySet[LedgerEntry]":
    """A customer's ledger entries; order by ``-seq`` for the newest first."""
    return LedgerEntry.objects.filter(customer_id=customer_id)


def event_keys(customer_id: int, entries: Iterable[LedgerEntry]) -> Mapping[UUID, str]:
    """The keys of the usage events that the entries charged. Archived events have none any more."""
    digests: Sequence[UUID] = [entry.event_digest for entry in entries if entry.event_digest is not None]
    if not digests:
        return {}
    events = UsageEvent.objects.filter(customer_id=customer_id, key_digest__in=digests)
    return dict(events.values_list("key_digest", "key"))
