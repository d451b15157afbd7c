"""Events (https://docs.stripe.com/api/events): what a sweep reads where webhooks were lost. Kept for 30 days."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from billing.stripe.client import asking, plain
from billing.stripe.webhooks import EventNotice, notice


def events_since(since: datetime) -> Iterator[EventNotice]:
    """Everything that happened since then, newest first."""
    with asking() as stripe:
        query: Any = {"created": {"gte": int(since.timestamp())}, "limit": 100}
        for one in stripe.v1.events.list(query).auto_paging_iter():
            seen = notice(plain(one))
            if seen is not None:
                yield seen
