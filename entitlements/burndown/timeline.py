"""The instants of a run at which something other than usage happens."""

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec

from entitlements.burndown.model import Grant


class Instant(msgspec.Struct, kw_only=True):
    """What happens at one instant, the run's first and last included even if nothing does."""

    at: datetime
    recurring: set[str] = set()
    """Ids of the active grants whose recurrence falls here."""
    changes: bool = False
    """A grant starts or ends here."""
    reset: bool = False

    def fills(self, grant: Grant) -> bool:
        """Whether an active grant has its full amount from here on: it starts or recurs."""
        return grant.effective_at == self.at or grant.id in self.recurring


def instants_of(
    grants: Iterable[Grant], start: datetime, until: datetime, resets: Collection[datetime]
) -> list[Instant]:
    """The instants that cut a run into segments, in order; one only if the run has no length."""
    found = {at: Instant(at=at) for at in (start, until)}

    def instant(at: datetime) -> Instant:
        return found.setdefault(at, Instant(at=at))

    for grant in grants:
        for at in (grant.effective_at, grant.ends_at):
            if at is not None and start < at < until:
                instant(at).changes = True
        if grant.recurrence is not None:
            for at in grant.recurrence.since(max(start, grant.effective_at)):
                if at > until or not grant.active_at(at):
                    break
                instant(at).recurring.add(grant.id)
    for at in resets:
        instant(at).reset = True
    return sorted(found.values(), key=lambda instant: instant.at)


def touches(grant: Grant, start: datetime, until: datetime) -> bool:
    """Whether the grant is active at some instant of the run, its last included."""
    ends_at = grant.ends_at
    return grant.effective_at <= until and (ends_at is None or start < ends_at)
