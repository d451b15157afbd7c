"""What reading a provider's body yields, and the refusal when it cannot be read."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from kernel.units import NanoUsd
from kernel.usage import InconsistentUsage, Usage, check

MODES: Final[Mapping[str, str]] = {
    "default": "standard",
    "standard": "standard",
    "on_demand": "standard",
    # Scale tier is prepaid capacity at list price (https://openai.com/api-scale-tier, read 2026-11-23).
    "scale": "standard",
    "batch": "batch",
    "flex": "flex",
    "on_demand_flex": "flex",
    "priority": "priority",
    "on_demand_priority": "priority",
    "fast": "fast",
}
"""The providers' words for how a call was processed, in ours. A word not listed is kept as it is."""


class UnreadableUsage(ValueError):
    """A body that cannot be read without guessing. `field` is the path of the value at fault."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one response says it consumed, in our words. Absent facts are None, never guessed."""

    format: str
    usage: Usage
    model: str | None = None
    """The response's own model id: what is priced."""
    provider: str | None = None
    """Only where the shape of the body proves it; many providers speak OpenAI's."""
    processing: str | None = None
    """standard, batch, flex, priority or fast, where the response says it."""
    region: str | None = None
    """Where inference ran, as far as it changes the price: us, eu, global, …"""
    reported_cost_nanousd: NanoUsd | None = None
    """What the provider says it charged for this call, all of it."""
    inner: tuple["Reading", ...] = ()
    """Calls to other models made inside this one and billed beside it, at those models' rates."""


def checked(usage: Usage, path: str) -> Usage:
    """The usage itself, if its counts agree with each other. Raises UnreadableUsage."""
    try:
        check(usage)
    except InconsistentUsage as problem:
        raise UnreadableUsage(path, f"{problem} (read as {_parts(usage)})") from None
    return usage


def processing_mode(word: str | None) -> str | None:
    """A provider's service tier in our words; None stays None, and so does "auto", which says nothing."""
    if word is None or word.lower() == "auto":
        return None
    return MODES.get(word.lower(), word.lower())


def _parts(usage: Usage) -> str:
    parts: dict[str, Any] = msgspec.to_builtins(usage)
    return ", ".join(f"{name} {count}" for name, count in parts.items())
