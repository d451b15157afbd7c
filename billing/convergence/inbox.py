"""Events, kept as they come and worked through one object at a time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction
from django.db.models import F

from billing.convergence.locks import one_at_a_time
from billing.convergence.registry import convergers_of, is_converged
from billing.models import StripeEvent
from billing.stripe.webhooks import EventNotice

log = structlog.get_logger("weir.stripe")

BATCH: Final = 50
CLAIM: Final = timedelta(minutes=5)
"""How long a worker that took events has before another may: longer than its calls' time limits together."""

_FIRST_BACK_OFF: Final = timedelta(seconds=15)
_LONGEST_BACK_OFF: Final = timedelta(hours=1)


def keep_events(notices: Iterable[EventNotice], *, now: datetime, swept: bool = False) -> int:
    """Remember events nobody has told us of before, if anybody cares for their objects. Returns how many are new."""
    rows = [
        StripeEvent(
            id=notice.id,
            type=notice.type,
            object_type=notice.object_type,
            object_id=notice.object_id,
            api_created=notice.created,
            received_at=now,
            next_try_at=now,
            swept=swept,
        )
        for notice in notices
        if is_converged(notice.object_type)
    ]
    before = set(StripeEvent.objects.filter(id__in=[row.id for row in rows]).values_list("id", flat=True))
    StripeEvent.objects.bulk_create([row for row in rows if row.id not in before], ignore_conflicts=True)
    return len({row.id for row in rows} - before)


def process_due_events(now: datetime) -> int:
    """Converge every object with events that are due. Returns how many objects were."""
    converged = 0
    while claimed := _claim(now):
        for (object_type, object_id), events in claimed.items():
            converged += _process(object_type, object_id, events, now)
    return converged


def converge(object_type: str, object_id: str, now: datetime) -> None:
    """Make our rows agree with one object. What is raised is for the caller to try again after."""
    with one_at_a_time(object_id):
        for converger in convergers_of(object_type):
            converger(object_id, now)


def _claim(now: datetime) -> dict[tuple[str, str], list[str]]:
    """Take some due events, by object: one fetch serves all that is known to have happened to it."""
    with transaction.atomic():
        due = StripeEvent.objects.filter(processed_at=None, next_try_at__lte=now).order_by("next_try_at", "id")
        events = list(due.select_for_update(skip_locked=True)[:BATCH])
        # From the real clock's point of view `now` may stand still (a test's); the claim is still in the future.
        StripeEvent.objects.filter(id__in=[event.id for event in events]).update(
            next_try_at=now + CLAIM, attempts=F("attempts") + 1
        )
    claimed: dict[tuple[str, str], list[str]] = {}
    for event in sorted(events, key=lambda event: event.api_created):
        claimed.setdefault((event.object_type, event.object_id), []).append(event.id)
    return claimed


def _process(object_type: str, object_id: str, events: list[str], now: datetime) -> bool:
    these = StripeEvent.objects.filter(id__in=events)
    try:
        converge(object_type, object_id, now)
    except Exception as error:
        log.warning("stripe_event_failed", object=object_id, events=events, exc_info=error)
        for event in these:
            event.next_try_at = now + back_off(event.attempts)
            event.error = f"{type(error).__name__}: {error}"[:2000]
            event.save(update_fields=["next_try_at", "error"])
        return False
    these.update(processed_at=now, next_try_at=None, error="")
    return True


def back_off(attempts: int) -> timedelta:
    """How long to wait after so many attempts: doubling, up to an hour."""
    doublings = min(max(attempts - 1, 0), 12)
    return min(_FIRST_BACK_OFF * (1 << doublings), _LONGEST_BACK_OFF)
