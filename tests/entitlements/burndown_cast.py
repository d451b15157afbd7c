"""Short words for the burn engine's stories: March 2026, day by day."""

from datetime import UTC, datetime, timedelta
from typing import Any

from entitlements.burndown import Event, Grant, Result, Segment, Snapshot, run

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
CREDIT = 1_000_000


def day(number: float) -> datetime:
    """Midnight of a day of March, 1 the first; 2.5 is noon of the second."""
    return MARCH + timedelta(days=number - 1)


def grant(name: str, credits_: float = 100, **terms: Any) -> Grant:
    """A grant of priority 1 from the first of March on, unless the terms say otherwise."""
    defaults = {"priority": 1, "created_at": day(-9), "effective_at": day(1)}
    return Grant(id=name, amount=round(credits_ * CREDIT), **(defaults | terms))


def used(credits_: float, at: datetime) -> Event:
    return Event(at, round(credits_ * CREDIT))


def at_start(at: datetime, /, overage: float = 0, usage: float = 0, burned: float = 0, **balances: float) -> Snapshot:
    """A snapshot with these balances, all in credits."""
    return Snapshot(
        at=at,
        balances={name: round(left * CREDIT) for name, left in balances.items()},
        overage=round(overage * CREDIT),
        usage=round(usage * CREDIT),
        total_grant_usage=round(burned * CREDIT),
    )


def from_the_first(*grants: Grant, events: tuple[Event, ...] = (), until: datetime, **rest: Any) -> Result:
    """Run from the first of March, before any of the grants has started."""
    return run(grants, Snapshot.opening(grants, day(1)), events, until=until, **rest)


def left(result: Result) -> dict[str, float]:
    """What is left of each grant, in credits."""
    return {name: balance / CREDIT for name, balance in result.balances.items()}


def opens_with(segment: Segment) -> dict[str, float]:
    """What each grant holds at the segment's start, in credits."""
    return {name: balance / CREDIT for name, balance in segment.balance_at_start.items()}


def burned(segment: Segment) -> list[tuple[str, float, str]]:
    """What the segment took from whom, in credits, and why it stopped."""
    return [(usage.grant_id, usage.amount / CREDIT, usage.reason.value) for usage in segment.grant_usages]
