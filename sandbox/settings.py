"""What can be set about the pretend Stripe, as one would in its Dashboard."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from sandbox.errors import InvalidRequest


@dataclass
class Settings:
    """How failed renewals are pursued, and what automatic tax comes to."""

    retry_after_days: tuple[int, ...] = (3, 5, 7)
    """Days from each failed attempt at a subscription's invoice to the next; after the last comes the end."""
    after_last_retry: Literal["cancel", "unpaid", "past_due"] = "cancel"
    draft_seconds: int = 3600
    """How long a renewal's invoice stays a draft, open to more items, before it is charged."""
    tax_percent: int = 0
    """What ``automatic_tax`` adds to every line, wherever the customer lives."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def changed(self, values: dict[str, Any]) -> "Settings":
        """A copy with these values. Raises InvalidRequest for a setting there is not."""
        unknown = set(values) - {field.name for field in fields(self)}
        if unknown:
            raise InvalidRequest(f"No such setting: {', '.join(sorted(unknown))}")
        merged = asdict(self) | values
        return Settings(**merged | {"retry_after_days": tuple(merged["retry_after_days"])})
