"""Putting messages into the outbox from outside an account's own transaction."""

from datetime import datetime
from typing import Any

from entitlements.models import OutboxMessage


def tell(customer_id: int, key: str, kind: str, payload: dict[str, Any], now: datetime) -> None:
    """Tell something once per key, in the caller's transaction: with what makes it true, or not at all."""
    message = OutboxMessage(customer_id=customer_id, key=key, kind=kind, payload=payload, created_at=now)
    OutboxMessage.objects.bulk_create([message], ignore_conflicts=True)
