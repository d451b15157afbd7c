"""The form of the burn-down cases: read into the engine's words, and the engine's answer written back in it."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from entitlements.burndown import Event, Grant, Result, Segment, Snapshot, run
from kernel.clock import parse_instant
from kernel.recurrence import Recurrence
from kernel.units import MICROCREDITS_PER_CREDIT, parse_credits

CREATED = datetime(2000, 1, 1, tzinfo=UTC)
"""Cases do not say when a grant was created: all at once, so that ids decide."""


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What one case puts in."""

    grants: list[Grant]
    start: Snapshot
    events: list[Event]
    resets: list[datetime]
    until: datetime
    preserve_overage: bool

    def run(self) -> Result:
        return self._run(self.start, self.until, self.resets)

    def run_in_two(self, cut: datetime) -> Result:
        """The same, but resumed from the snapshot a first run leaves at `cut`."""
        first = self._run(self.start, cut, [reset for reset in self.resets if reset <= cut])
        return self._run(first.snapshot, self.until, [reset for reset in self.resets if reset > cut])

    def _run(self, start: Snapshot, until: datetime, resets: list[datetime]) -> Result:
        return run(
            self.grants,
            start,
            self.events,
            until=until,
            resets=resets,
            preserve_overage_at_reset=self.preserve_overage,
        )


def read_case(case: dict[str, Any]) -> Inputs:
    """Read one case's inputs."""
    return Inputs(
        grants=[_grant(grant) for grant in case["grants"]],
        start=_snapshot(case["start"]),
        events=[Event(parse_instant(event["at"]), _microcredits(event["value"])) for event in case["events"]],
        resets=[parse_instant(reset) for reset in case.get("resets", [])],
        until=parse_instant(case["until"]),
        preserve_overage=case.get("preserve_overage_at_reset", False),
    )


def _snapshot(start: dict[str, Any]) -> Snapshot:
    return Snapshot(
        at=parse_instant(start["at"]),
        balances={grant: _microcredits(balance) for grant, balance in start["balances"].items()},
        overage=_microcredits(start.get("overage", 0)),
        usage=_microcredits(start.get("usage", 0)),
        usage_since=_instant(start, "usage_since"),
        total_grant_usage=_microcredits(start.get("total_grant_usage", 0)),
    )


def _grant(grant: dict[str, Any]) -> Grant:
    recurrence = grant.get("recurrence")
    # Taken back or deleted: either way it ends there.
    ends = [_instant(grant, "voided_at"), _instant(grant, "deleted_at")]
    return Grant(
        id=grant["id"],
        amount=_microcredits(grant["amount"]),
        priority=grant["priority"],
        created_at=_instant(grant, "created_at") or CREATED,
        effective_at=parse_instant(grant["effective_at"]),
        expires_at=_instant(grant, "expires_at"),
        voided_at=min((at for at in ends if at is not None), default=None),
        recurrence=Recurrence(recurrence["interval"], parse_instant(recurrence["anchor"])) if recurrence else None,
        rollover_min=_microcredits(grant.get("rollover_min") or 0),
        # The cases follow their source, where a grant that says nothing keeps nothing at a reset.
        rollover_max=_microcredits(grant.get("rollover_max") or 0),
    )


def _instant(fields: dict[str, Any], key: str) -> datetime | None:
    return parse_instant(fields[key]) if fields.get(key) else None


def _microcredits(amount: float | str) -> int:
    return parse_credits(str(amount))


def write_result(result: Result) -> dict[str, Any]:
    """A result in the cases' form: amounts in credits, and the sums they ask for."""
    return {
        "balances": _credits_each(result.balances),
        "balance": _credits(result.balance),
        "overage": _credits(result.overage),
        "usage": _credits(result.usage),
        "usage_since": result.usage_since,
        "total_grant_usage": _credits(result.total_grant_usage),
        "total_grant_usage_plus_balance": _credits(result.total_grant_usage + result.balance),
        "n_segments": len(result.segments),
        "segments": [_write_segment(segment) for segment in result.segments],
    }


def _write_segment(segment: Segment) -> dict[str, Any]:
    return {
        "from": segment.start,
        "to": segment.end,
        "kind": segment.kind,
        "balance_at_start": _credits_each(segment.balance_at_start),
        "total_balance_at_start": _credits(sum(segment.balance_at_start.values())),
        "balance_at_end": _credits_each(segment.balance_at_end),
        "total_balance_at_end": _credits(sum(segment.balance_at_end.values())),
        "overage_at_start": _credits(segment.overage_at_start),
        "usage": _credits(segment.usage),
        "overage": _credits(segment.overage),
        "grant_usages": [
            [usage.grant_id, _credits(usage.amount), usage.reason.value] for usage in segment.grant_usages
        ],
        "ends_with_reset": segment.ends_with_reset,
        "ended_by_recurrence": list(segment.ended_by_recurrence),
        "priority_change": segment.priority_change,
    }


def _credits(microcredits: int) -> Decimal:
    return Decimal(microcredits) / MICROCREDITS_PER_CREDIT


def _credits_each(balances: dict[str, int]) -> dict[str, Decimal]:
    return {grant: _credits(balance) for grant, balance in balances.items()}


def read_ordering(ordering: dict[str, Any]) -> list[Grant]:
    """The grants of the file's ordering block, whose times are offsets such as ``-4h`` or ``base+1h+0.9s``."""
    base = parse_instant(ordering["base"])
    return [
        Grant(
            id=grant["id"],
            amount=0,
            priority=grant["priority"],
            created_at=base + _offset(grant["created"]),
            effective_at=base,
            expires_at=base + _offset(grant["expires"]) if grant.get("expires") else None,
        )
        for grant in ordering["grants"]
    ]


def _offset(text: str) -> timedelta:
    units = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    terms = re.findall(r"([+-][\d.]+)([dhms])", text)
    return sum((timedelta(**{units[unit]: float(count)}) for count, unit in terms), timedelta())
