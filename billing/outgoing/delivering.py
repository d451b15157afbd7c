"""Deliveries that are due: claimed, posted outside any transaction, and what came of it written down."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, Min

from billing.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from billing.outgoing.messages import bodies
from billing.outgoing.problems import WebhookEndpointDisabled
from billing.outgoing.sending import Letter, Outcome, send_all
from billing.outgoing.signing import signed_headers

log = structlog.get_logger("weir.webhooks")

WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long after each failed try the next one is due; after the last, none is.

The schedule Standard Webhooks recommends (spec/standard-webhooks.md, "Deliverability and reliability").
"""

TRIES: Final = len(WAITS) + 1

CLAIM: Final = timedelta(minutes=2)
"""How long a worker that took deliveries has before another may take them: well above a try's time limit."""

AT_ONCE: Final = 100
EACH: Final = 20
"""Of one endpoint in a round, so that a slow one does not keep the others waiting."""

_GONE: Final = 410


def deliver_due(now: datetime) -> int:
    """One round: take what is due, post it side by side, write down what came of it. Returns how many were tried.

    A worker that dies on the way leaves its claim to run out: the message is then sent again, with the same id.
    """
    claimed = claim_due(now)
    texts = bodies(claimed)
    letters = [
        Letter(one.endpoint.url, body, signed_headers(one.endpoint, one.message_id_sent, body, now))
        for one, body in zip(claimed, texts, strict=True)
    ]
    for delivery, outcome in zip(claimed, send_all(letters), strict=True):
        keep_outcome(delivery, outcome, now)
    return len(claimed)


@transaction.atomic
def claim_due(now: datetime) -> list[WebhookDelivery]:
    """Take deliveries that are due, for enabled endpoints, and count the try: nobody else takes them for a while."""
    due = WebhookDelivery.objects.filter(
        state=WebhookDelivery.State.WAITING, next_try_at__lte=now, endpoint__enabled=True
    )
    claimed: list[WebhookDelivery] = []
    oldest_first = due.values("endpoint_id").annotate(oldest=Min("next_try_at")).order_by("oldest")
    for endpoint in oldest_first.values_list("endpoint_id", flat=True):
        room = min(EACH, AT_ONCE - len(claimed))
        these = due.filter(endpoint_id=endpoint).order_by("next_try_at", "id").select_related("endpoint", "message")
        claimed += these.select_for_update(skip_locked=True, of=("self",))[:room]
    for delivery in claimed:
        delivery.next_try_at = now + CLAIM
        delivery.attempts += 1
    ids = [delivery.pk for delivery in claimed]
    WebhookDelivery.objects.filter(pk__in=ids).update(next_try_at=now + CLAIM, attempts=F("attempts") + 1)
    return claimed


@transaction.atomic
def keep_outcome(claimed: WebhookDelivery, outcome: Outcome, now: datetime) -> None:
    """Write down a try. What arrived has arrived; a failure counts only while the claim is still ours."""
    # The endpoint before its deliveries: who deletes one takes them in that order too.
    _keep_standing(claimed.endpoint_id, outcome, now)
    delivery = WebhookDelivery.objects.select_for_update(no_key=True).filter(pk=claimed.pk).first()
    if delivery is None:
        return  # its endpoint was deleted meanwhile
    at = now + timedelta(milliseconds=outcome.ms)
    WebhookAttempt.objects.create(
        delivery=delivery,
        at=now,
        status=outcome.status,
        error=outcome.error,
        ms=outcome.ms,
        response=outcome.response,
    )
    ours = delivery.state == WebhookDelivery.State.WAITING and delivery.next_try_at == claimed.next_try_at
    if outcome.arrived:
        delivery.state, delivery.next_try_at = WebhookDelivery.State.DELIVERED, None
        delivery.delivered_at = delivery.delivered_at or at
    elif ours:
        given_up = outcome.status == _GONE or delivery.attempts >= TRIES
        delivery.state = WebhookDelivery.State.FAILED if given_up else WebhookDelivery.State.WAITING
        delivery.next_try_at = None if given_up else at + WAITS[delivery.attempts - 1]
    if outcome.arrived or ours:
        delivery.last_status, delivery.last_error, delivery.last_ms = outcome.status, outcome.error, outcome.ms
        delivery.save()


def _keep_standing(endpoint_id: UUID, outcome: Outcome, now: datetime) -> None:
    """What a try says of its endpoint: since when nothing arrives, and whether it is gone for good."""
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id)
    if outcome.arrived:
        endpoint.filter(failing_since__isnull=False).update(failing_since=None)
        return
    endpoint.filter(failing_since=None).update(failing_since=now)
    if outcome.status == _GONE and endpoint.filter(enabled=True).update(
        enabled=False, disabled_reason="It answered 410 Gone."
    ):
        log.warning("webhook_endpoint_gone", endpoint=str(endpoint_id))


@transaction.atomic
def send_again(delivery_id: UUID, now: datetime) -> WebhookDelivery | None:
    """Make a delivery due now, with all its tries before it, also one that arrived: its id lets receivers tell.

    None where there is no such delivery. Raises WebhookEndpointDisabled.
    """
    delivery = (
        WebhookDelivery.objects.select_related("endpoint")
        .select_for_update(no_key=True, of=("self",))
        .filter(pk=delivery_id)
        .first()
    )
    if delivery is None:
        return None
    if not delivery.endpoint.enabled:
        raise WebhookEndpointDisabled(f"{delivery.endpoint} is disabled; enable it first")
    delivery.state, delivery.attempts = WebhookDelivery.State.WAITING, 0
    delivery.next_try_at, delivery.delivered_at = now, None
    delivery.save(update_fields=["state", "attempts", "next_try_at", "delivered_at"])
    return delivery
