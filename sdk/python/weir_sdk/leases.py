"""A lease: a block of credits this process spends without asking, and tells in batches."""

import threading
import time
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Protocol, Self

from weir_sdk.errors import Refused

FLUSH_AT = 100
"""Spends that are told together."""


class Tells(Protocol):
    """What a lease asks of its service."""

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]: ...


class Lease:
    """Threads may share it. `spend` looks at memory only, but for one call in FLUSH_AT, which tells the service.

    What the service has not heard of stays in `remaining`'s price: told or not, a credit is spent once. Nothing may be
    spent after the deadline, when the service takes back what is left.
    """

    def __init__(self, wire: Tells, answer: dict[str, Any], *, refill: Decimal, ttl_seconds: int) -> None:
        self._wire = wire
        self._lock = threading.Lock()
        self._told: list[dict[str, Any]] = []
        self._refill, self._ttl = refill, ttl_seconds
        self.id: str = answer["hold"]["id"]
        self.remaining = Decimal(answer["hold"]["credits"])
        """Credits that may still be spent here."""
        self._take_deadline(answer["hold"])

    def spend(self, credits: str | Decimal, *, key: str, **parts: Any) -> bool:
        """Spend so many credits under a key of the caller's own; False when they are not there.

        Other members of the API's settlement (model, usage, tags, …) may be given by name.
        """
        amount = Decimal(credits)
        with self._lock:
            if time.monotonic() >= self._ends or (amount > self.remaining and not self._top_up(amount)):
                return False
            self.remaining -= amount
            self._told.append({"key": key, "credits": str(credits)} | parts)
            if len(self._told) >= FLUSH_AT:
                self._flush()
        return True

    def flush(self) -> None:
        """Tell the service what was spent so far. Raises Refused, Unreachable; what was not told is kept."""
        with self._lock:
            self._flush()

    def release(self) -> None:
        """Tell what was spent and give the rest back."""
        with self._lock:
            self._flush()
            self.remaining = Decimal(0)
            self._wire.post(f"/v1/leases/{self.id}/release")

    def _flush(self) -> None:
        if self._told:
            self._wire.post(f"/v1/leases/{self.id}/settle", {"events": self._told})
            self._told = []

    def _top_up(self, amount: Decimal) -> bool:
        """Ask for as much again as the lease began with, and for more time; whether it is there now."""
        if not self._refill:
            return False
        wanted = max(self._refill, amount - self.remaining)
        self._flush()
        try:
            answer = self._extend(wanted)
        except Refused as refused:
            # Not so much is there; what is left may do.
            wanted = Decimal(refused.problem.get("available_microcredits", 0)) / 1_000_000
            if refused.code != "insufficient_credits" or wanted <= 0 or self.remaining + wanted < amount:
                return False
            try:
                answer = self._extend(wanted)
            except Refused:  # Somebody else was quicker.
                return False
        self.remaining += wanted
        self._take_deadline(answer["hold"])
        return True

    def _extend(self, credits: Decimal) -> dict[str, Any]:
        wanted = {"credits": f"{credits:f}", "ttl_seconds": self._ttl}
        return self._wire.post(f"/v1/leases/{self.id}/extend", wanted)

    def _take_deadline(self, hold: dict[str, Any]) -> None:
        left = datetime.fromisoformat(hold["expires_at"]).timestamp() - time.time()
        # A second early: the service's clock decides, and ours may be behind it.
        self._ends = time.monotonic() + max(0.0, left - 1.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
