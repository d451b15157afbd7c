"""What is posted: ``{type, timestamp, data}``, the same bytes at every try."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from billing.models import WebhookDelivery
from billing.outgoing.kinds import TEST
from entitlements.models import Customer, OutboxMessage
from kernel.clock import format_instant
from kernel.units import format_credits, format_usd

_UNIT_FORMAT: Final[dict[str, Callable[[int], str]]] = {"credits": format_credits, "cost": format_usd}


def bodies(deliveries: Sequence[WebhookDelivery]) -> list[str]:
    """The body of each delivery. Each is of its own message and that message's customer, and of nothing else."""
    customer_ids = {delivery.message.customer_id for delivery in deliveries if delivery.message is not None}
    keys = dict(Customer.objects.filter(pk__in=customer_ids).values_list("pk", "key"))
    return [_body(delivery, keys) for delivery in deliveries]


def _body(delivery: WebhookDelivery, keys: dict[int, str]) -> str:
    message = delivery.message
    if message is None:
        data: dict[str, Any] = {"endpoint": str(delivery.endpoint_id)}
        return _written(TEST, format_instant(delivery.created_at), data)
    data = {"customer": keys.get(message.customer_id)} | _presented(message)
    return _written(message.kind, format_instant(message.created_at), data)


def _written(kind: str, timestamp: str, data: dict[str, Any]) -> str:
    return msgspec.json.encode({"type": kind, "timestamp": timestamp, "data": data}).decode()


def _presented(message: OutboxMessage) -> dict[str, Any]:
    """The payload in the words of the API: the gate writes limits in the units they are counted in."""
    payload: dict[str, Any] = message.payload
    amount = _UNIT_FORMAT.get(payload.get("unit", "")) if message.kind == "limit.threshold" else None
    if amount is None:
        return payload
    return payload | {name: amount(int(payload[name])) for name in ("used", "value")}
