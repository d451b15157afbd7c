"""What to do while the service cannot be asked: refuse, or allow a bounded number of credits and report them later."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Closed:
    """Refuse."""


@dataclass(frozen=True)
class Open:
    """Allow up to `credits` a customer, counted in this process until they are reported."""

    credits: str


Policy = Closed | Open
CLOSED = Closed()


@dataclass
class Journal:
    """What was allowed without asking: counted against the policies, and kept until the service has heard of it."""

    policies: dict[str, Policy]
    _pending: list[dict[str, Any]] = field(default_factory=list)
    _allowed: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allows(self, customer: str, feature: str, credits: Decimal) -> bool:
        """Whether the policy has room for so many credits; they are taken if it has."""
        policy = self.policies.get(feature, self.policies.get("*", CLOSED))
        if not isinstance(policy, Open):
            return False
        with self._lock:
            taken = self._allowed.get((customer, feature), Decimal(0)) + credits
            if taken > Decimal(policy.credits):
                return False
            self._allowed[customer, feature] = taken
        return True

    def keep(self, event: dict[str, Any]) -> None:
        """Remember a usage event to report."""
        with self._lock:
            self._pending.append(event)

    def batches(self, size: int) -> Iterator[list[dict[str, Any]]]:
        """What is to be reported, in batches; ask `done` after each that was."""
        while batch := self._pending[:size]:
            yield batch

    def done(self, batch: list[dict[str, Any]]) -> None:
        """The service has heard of these. With nothing left to report the policies have their whole room again."""
        with self._lock:
            del self._pending[: len(batch)]
            if not self._pending:
                self._allowed.clear()

    def __len__(self) -> int:
        return len(self._pending)
