"""Instants. `now` is read once at the edge and handed down; all instants are aware and in UTC."""

from datetime import UTC, datetime, timedelta

FUTURE_SKEW = timedelta(minutes=5)
"""How far ahead of us a caller's clock may be."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before this, a timestamp is a unit mistake (seconds for milliseconds), not history."""


class BadInstant(ValueError):
    """A time that is not RFC 3339 with a zone."""


def utc_now() -> datetime:
    """The current instant. Called at the edge only; everywhere below `now` is an argument."""
    return datetime.now(UTC)


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 instant into UTC. Raises BadInstant; a time without a zone is refused."""
    if not isinstance(text, str) or len(text) > 40 or len(text) < 11:
        raise BadInstant("must be an RFC 3339 time such as 2026-11-15T12:00:00Z")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise BadInstant(f"{text!r} is not an RFC 3339 time such as 2026-11-15T12:00:00Z") from None
    if instant.tzinfo is None:
        raise BadInstant(f"{text!r} has no time zone; write 2026-11-15T12:00:00Z")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise BadInstant(f"{text!r} is out of range") from None


def format_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with a Z; microseconds only where there are any."""
    utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return f"{utc.isoformat()[:-6]}Z"  # without its +00:00
