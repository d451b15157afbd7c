"""From the outbox to deliveries: one for each endpoint that wants the message, in the transaction that stamps it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from billing.models import WebhookDelivery, WebhookEndpoint
from entitlements.models import OutboxMessage

BATCH: Final = 500


def dispatch_waiting(now: datetime) -> int:
    """Dispatch everything that waits in the outbox. Returns how many messages were."""
    dispatched = 0
    while some := dispatch_some(now):
        dispatched += some
    return dispatched


@transaction.atomic
def dispatch_some(now: datetime) -> int:
    """Dispatch the oldest messages that no other worker is dispatching. Returns how many.

    A message nobody wants is dispatched too: an endpoint that comes later is told what happens from then on.
    """
    waiting = OutboxMessage.objects.filter(dispatched_at=None).order_by("id")
    messages = list(waiting.select_for_update(skip_locked=True)[:BATCH])
    if not messages:
        return 0
    endpoints = list(WebhookEndpoint.objects.filter(enabled=True))
    WebhookDelivery.objects.bulk_create(_deliveries(messages, endpoints, now))
    return OutboxMessage.objects.filter(id__in=[message.pk for message in messages]).update(dispatched_at=now)


def _deliveries(
    messages: Sequence[OutboxMessage], endpoints: Sequence[WebhookEndpoint], now: datetime
) -> Iterator[WebhookDelivery]:
    for message in messages:
        for endpoint in endpoints:
            if _wants(endpoint, message):
                yield WebhookDelivery(
                    endpoint=endpoint, message=message, kind=message.kind, next_try_at=now, created_at=now
                )


def _wants(endpoint: WebhookEndpoint, message: OutboxMessage) -> bool:
    asked = not endpoint.event_types or message.kind in endpoint.event_types
    return asked and endpoint.created_at <= message.created_at
