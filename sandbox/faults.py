"""What can go wrong between a caller and Stripe: told in advance for the next requests, or at random with a seed."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random
from typing import Any

from sandbox.errors import InvalidRequest, KeyInUse, ServerError, StripeError, TooManyRequests

BEFORE = {
    "rate_limited": "429, nothing was done",
    "lock_timeout": "429 because the object is busy, nothing was done",
    "key_in_use": "409, another request with this key is still at work",
    "server_error": "500, nothing was done and nothing is remembered",
    "drop_before": "the connection breaks before anything was done",
}
AFTER = {
    "server_error_after": "everything was done, but the answer is 500, and the same key gets it again",
    "drop_after": "everything was done, then the connection breaks: the timeout after the charge",
    "hang": "everything was done, the answer comes only after `seconds`",
}
"""Faults by name, and what happens."""


class ConnectionBreaks(Exception):
    """No answer at all."""


@dataclass
class Fault:
    """One fault, waiting for requests that match."""

    fault: str
    method: str = "*"
    path: str = "*"
    """May hold ``*``: ``/v1/payment_intents*``."""
    times: int = 1
    """How many matching requests it befalls; -1 is all of them, until cleared."""
    skip: int = 0
    """Matching requests to let pass first."""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.fault not in BEFORE | AFTER:
            raise InvalidRequest(f"No such fault: {self.fault}. There are: {', '.join(BEFORE | AFTER)}")

    def befalls(self, method: str, path: str) -> bool:
        """Whether it strikes this request; counts."""
        if not self.times or self.method not in {"*", method} or not fnmatchcase(path, self.path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1 if self.times > 0 else 0
        return True


class Faults:
    """Those waiting, and the shares of requests befallen at random."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.shares: dict[str, float] = {}
        self._random = Random("faults")

    def expect(self, **described: Any) -> Fault:
        try:
            fault = Fault(**described)
        except TypeError as problem:
            raise InvalidRequest(f"A fault cannot be described so: {problem}") from None
        self.waiting.append(fault)
        return fault

    def at_random(self, shares: dict[str, float], seed: str) -> None:
        """Each share is of all requests, from 0 to 1."""
        for name in shares:
            Fault(name)
        self.shares, self._random = shares, Random(seed)

    def clear(self) -> None:
        self.waiting, self.shares = [], {}

    def pick(self, method: str, path: str) -> Fault | None:
        """The fault that befalls this request, if one does."""
        for fault in self.waiting:
            if fault.befalls(method, path):
                return fault
        dice = self._random.random() if self.shares else 1.0
        for name, share in self.shares.items():
            if dice < share:
                return Fault(name, seconds=1.0)
            dice -= share
        return None


def strike_before(fault: Fault | None) -> None:
    """Raises what happens instead of the request, if it is a fault that comes first."""
    if fault is None or fault.fault not in BEFORE:
        return
    if fault.fault == "drop_before":
        raise ConnectionBreaks
    raise _refusal(fault.fault)


def _refusal(name: str) -> StripeError:
    if name == "rate_limited":
        return TooManyRequests(
            "Request rate limit exceeded. Learn more at https://docs.stripe.com/rate-limits.", code="rate_limit"
        )
    if name == "lock_timeout":
        return TooManyRequests(
            "This object cannot be accessed right now because another API request or Stripe process is currently "
            "accessing it. If you see this error intermittently, retry the request.",
            code="lock_timeout",
        )
    if name == "key_in_use":
        return KeyInUse(
            "There is currently another in-progress request using this Idempotency Key.", code="idempotency_key_in_use"
        )
    return ServerError("Sorry, there was an error on our end. Please try again.")
