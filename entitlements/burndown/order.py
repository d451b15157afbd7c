"""The burn order, and taking an amount from grants in it. The gate calls these on every charge."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeVar

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Burnable(Protocol):
    """What the burn order looks at: rows of the ledger and grants of the engine have it alike."""

    @property
    def id(self) -> Any: ...
    @property
    def priority(self) -> int: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def created_at(self) -> datetime: ...


Chosen = TypeVar("Chosen", bound=Burnable)
Key = TypeVar("Key")


def burn_key(grant: Burnable) -> tuple[int, datetime, datetime, Any]:
    """Sort key of the burn order: priority, then soonest expiry (none last), then created, then id.

    Expiries within one second are the same expiry: what a caller wrote as "in 30 days" twice must
    not let the order hang on milliseconds nobody chose.
    """
    expires_at = grant.expires_at
    soonest = _NEVER if expires_at is None else expires_at.replace(microsecond=0)
    return grant.priority, soonest, grant.created_at, grant.id


def burn_order(grants: Iterable[Chosen]) -> list[Chosen]:
    """The grants in the order in which usage burns them."""
    return sorted(grants, key=burn_key)


def burn(remaining: Iterable[tuple[Key, int]], amount: int) -> tuple[list[tuple[Key, int]], int]:
    """Take `amount` from what remains of each grant, given in burn order.

    Returns what was burned of each grant that paid, and what no grant could pay. Burned and unpaid
    add up to `amount`. Raises ValueError for a negative amount: giving back is not a burn.
    """
    if amount < 0:
        raise ValueError("a burn cannot be negative")
    burned: list[tuple[Key, int]] = []
    for key, left in remaining:
        if amount <= left:
            if amount:
                burned.append((key, amount))
            return burned, 0
        if left > 0:
            burned.append((key, left))
            amount -= left
    return burned, amount
