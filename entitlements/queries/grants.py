"""How a grant stands, in a word."""

from datetime import datetime
from typing import Protocol


class Dated(Protocol):
    """What a grant's state is read from."""

    activated_at: datetime | None
    closed_at: datetime | None
    voided_at: datetime | None


def state_of(grant: Dated) -> str:
    """pending, active, voided, or closed (used up or expired)."""
    if grant.voided_at is not None:
        return "voided"
    if grant.closed_at is not None:
        return "closed"
    return "active" if grant.activated_at is not None else "pending"
