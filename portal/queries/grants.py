"""What grants are called, and those that are done with."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from entitlements.models import CreditGrant

NAMES: Final[Mapping[str, str]] = {
    "allowance": "Plan allowance",
    "rollover": "Rolled-over allowance",
    "top_up": "Top-up",
    "promo": "Promotion",
    "adjustment": "Adjustment",
}

MOST_CLOSED: Final = 20


def grants_named(customer_id: int, ids: Iterable[UUID | None]) -> dict[UUID, CreditGrant]:
    """The customer's grants of these ids."""
    wanted = {each for each in ids if each is not None}
    if not wanted:
        return {}
    return {grant.id: grant for grant in CreditGrant.objects.filter(customer_id=customer_id, id__in=wanted)}


def closed_grants(customer_id: int) -> list[CreditGrant]:
    """The latest of those that are used up, expired or taken back, the last to close first."""
    closed = CreditGrant.objects.filter(customer_id=customer_id, closed_at__isnull=False)
    return list(closed.order_by("-closed_at", "-id")[:MOST_CLOSED])
