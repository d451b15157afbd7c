"""Applying and undoing a re-rating: batch by batch, each with its rollups in one transaction, one at a time.

What was interrupted goes on where it stopped. Every batch takes the customer's balance row first, as
every writer of events does, so no event is counted while its day is corrected.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from kernel.errors import Conflict, InvalidInput, NotFound
from kernel.sql_files import Statement, sql_file, write
from metering.events import SUMS, rollup_statements
from metering.models import Rerating
from metering.rerating import scope as scopes
from metering.rerating.core import Recoster
from metering.rerating.scope import LIST_PRICES, Cursor, Scope

BATCH: Final = 1_000
"""Events corrected in one transaction: some tens of milliseconds for which the customer's calls wait."""

Went = Callable[[int], None]
"""Told how many more events have been gone through."""


class ReratingUnknown(NotFound):
    code = "rerating_unknown"
    title = "There is no such re-rating"


class ReratingBusy(Conflict):
    code = "rerating_busy"
    title = "Another re-rating is in progress"


class ReratingNotApplied(Conflict):
    code = "rerating_not_applied"
    title = "The re-rating is not in the state this needs"


class ReratingBuiltUpon(Conflict):
    code = "rerating_built_upon"
    title = "A later re-rating started from this one's figures"


class AdjustmentRow(NamedTuple):
    """A row of `cost_adjustment`."""

    customer_id: int
    key_digest: UUID
    rerating_id: int
    undo: bool
    occurred_at: datetime
    plan_version_id: int
    feature_id: int
    model: str
    user_key: str
    delta_nanousd: int
    delta_computed_nanousd: int
    priced: int
    cost_card: str
    created_at: datetime


def apply(scope: Scope, *, reason: str, author: str, now: datetime, went: Went = lambda _: None) -> Rerating:
    """Move the cost of the scope's events to what the cards published by now say, as adjustments.

    Raises InvalidInput (no reason, days not begun), ReratingBusy.
    """
    if not reason.strip():
        raise InvalidInput("say why: it stays with the figures", field="reason")
    if scope.ends_on <= scope.starts_on:
        raise InvalidInput("must be later than from", field="to")
    with _alone():
        _refuse_unfinished()
        rerating = Rerating.objects.create(
            reason=reason.strip(),
            author=author,
            starts_on=scope.starts_on,
            ends_on=scope.ends_on,
            customer_id=scope.customer_id,
            model=scope.model,
            unpriced_only=scope.unpriced_only,
            cards=sorted(card.card_id for card in scopes.published_cards()),
            list_prices=LIST_PRICES,
            created_at=now,
        )
        _go_on(rerating, now, went)
    return rerating


def resume(rerating_id: int, *, now: datetime, went: Went = lambda _: None) -> Rerating:
    """Finish what was interrupted, by the cards it began with.

    Raises ReratingUnknown, ReratingNotApplied, ReratingBusy.
    """
    with _alone():
        rerating = _of(rerating_id)
        if rerating.state == Rerating.State.APPLYING:
            if rerating.list_prices != LIST_PRICES:
                raise ReratingNotApplied(
                    f"it began with {rerating.list_prices}, this is {LIST_PRICES}: half by each is no figure; undo it"
                )
            _go_on(rerating, now, went)
        elif rerating.state == Rerating.State.UNDOING:
            _take_back(rerating, now, went)
        else:
            raise ReratingNotApplied(f"{rerating} is {rerating.state}: there is nothing to finish")
    return rerating


def undo(rerating_id: int, *, reason: str, author: str, now: datetime, went: Went = lambda _: None) -> Rerating:
    """Take back what a re-rating moved, interrupted ones included, by counter-adjustments.

    Raises InvalidInput (no reason), ReratingUnknown, ReratingNotApplied, ReratingBuiltUpon, ReratingBusy.
    """
    if not reason.strip():
        raise InvalidInput("say why: it stays with the figures", field="reason")
    with _alone():
        rerating = _of(rerating_id)
        if rerating.state not in (Rerating.State.APPLIED, Rerating.State.APPLYING):
            raise ReratingNotApplied(f"{rerating} is {rerating.state}")
        if rerating.state == Rerating.State.APPLIED:
            _refuse_unfinished()
        with connection.cursor() as cursor:
            cursor.execute(sql_file("metering", "undo_built_upon"), {"rerating_id": rerating.pk})
            later = [str(row[0]) for row in cursor.fetchall()]
        if later:
            raise ReratingBuiltUpon(f"undo {', '.join(later)} first: the last one in is the first one out")
        rerating.state, rerating.in_progress = Rerating.State.UNDOING, True
        rerating.undo_reason, rerating.undone_by = reason.strip(), author
        rerating.save(update_fields=["state", "in_progress", "undo_reason", "undone_by"])
        _take_back(rerating, now, went)
    return rerating


def _go_on(rerating: Rerating, now: datetime, went: Went) -> None:
    scope = scope_of(rerating)
    pricing = scopes.recoster(rerating.cards)
    after = Cursor(rerating.cursor_at, rerating.cursor_digest)
    for customer_id in scopes.customers(scope, rerating.cursor_customer_id):
        if customer_id != rerating.cursor_customer_id:
            after = Cursor()
        while (reached := _batch(rerating, scope, pricing, customer_id, after, now, went)) is not None:
            after = reached
    _finish(rerating, Rerating.State.APPLIED, applied_at=now)


def _batch(
    rerating: Rerating, scope: Scope, pricing: Recoster, customer_id: int, after: Cursor, now: datetime, went: Went
) -> Cursor | None:
    """Correct a customer's next events. Returns how far it came; None when there were no more."""
    with transaction.atomic():
        _lock(customer_id)
        found = scopes.events(scope, customer_id, after, BATCH)
        if not found:
            return None
        rows = [
            AdjustmentRow(
                customer_id, event.key_digest, rerating.pk, False, event.occurred_at, event.plan_version_id,
                event.feature_id, event.model, event.user_key, *move, now,
            )
            for event in found
            if (move := pricing.move(event)) is not None
        ]  # fmt: skip
        _write(rows)
        reached = Cursor(found[-1].occurred_at, found[-1].key_digest)
        Rerating.objects.filter(pk=rerating.pk).update(
            cursor_customer_id=customer_id,
            cursor_at=reached.at,
            cursor_digest=reached.digest,
            examined_calls=F("examined_calls") + len(found),
            moved_calls=F("moved_calls") + len(rows),
            priced_calls=F("priced_calls") + sum(row.priced for row in rows),
            delta_nanousd=F("delta_nanousd") + sum(row.delta_nanousd for row in rows),
        )
    went(len(found))
    return reached


def _take_back(rerating: Rerating, now: datetime, went: Went) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql_file("metering", "undo_customers"), {"rerating_id": rerating.pk})
        whose = [row[0] for row in cursor.fetchall()]
    for customer_id in whose:
        while count := _undo_batch(rerating.pk, customer_id, now):
            went(count)
    _finish(rerating, Rerating.State.UNDONE, undone_at=now)


def _undo_batch(rerating_id: int, customer_id: int, now: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(customer_id)
        which = {"rerating_id": rerating_id, "customer_id": customer_id, "most": BATCH}
        cursor.execute(sql_file("metering", "undo_adjustments"), which)
        found = cursor.fetchall()
        _write([_taken_back(AdjustmentRow(*row), now) for row in found])
    return len(found)


def _taken_back(row: AdjustmentRow, now: datetime) -> AdjustmentRow:
    return row._replace(
        undo=True,
        delta_nanousd=-row.delta_nanousd,
        delta_computed_nanousd=-row.delta_computed_nanousd,
        priced=-row.priced,
        created_at=now,
    )


def _write(rows: Sequence[AdjustmentRow]) -> None:
    """Store adjustments and move the days and months their events are counted in."""
    if not rows:
        return
    statements: list[Statement] = [
        write("metering", "insert_cost_adjustments", [row._asdict() for row in rows]),
        *rollup_statements([(row, _contribution(row)) for row in rows]),
    ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.sql, statement.params)


def _contribution(row: AdjustmentRow) -> tuple[int, ...]:
    moved = {
        "unpriced_calls": -row.priced,
        "cost_nanousd": row.delta_nanousd,
        "computed_cost_nanousd": row.delta_computed_nanousd,
    }
    return tuple(moved.get(name, 0) for name in SUMS)


def _finish(rerating: Rerating, state: Rerating.State, **at: Any) -> None:
    Rerating.objects.filter(pk=rerating.pk).update(state=state, in_progress=None, **at)
    rerating.refresh_from_db()


def _lock(customer_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql_file("metering", "rebuild_lock"), {"customer_id": customer_id})


def _of(rerating_id: int) -> Rerating:
    found = Rerating.objects.filter(pk=rerating_id).first()
    if found is None:
        raise ReratingUnknown(f"there is no re-rating {rerating_id}")
    return found


def scope_of(rerating: Rerating) -> Scope:
    """What a stored re-rating is about."""
    return Scope(
        starts_on=rerating.starts_on,
        ends_on=rerating.ends_on,
        customer_id=rerating.customer_id,
        model=rerating.model,
        unpriced_only=rerating.unpriced_only,
    )


def _refuse_unfinished() -> None:
    unfinished = Rerating.objects.filter(in_progress=True).first()
    if unfinished is not None:
        raise ReratingBusy(f"{unfinished} was interrupted while {unfinished.state}: resume it, or undo it")


@contextmanager
def _alone() -> Iterator[None]:
    """One re-rating at a time. The lock goes with the connection, so a crash leaves only the row to resume."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('weir.rerating'))")
        if cursor.fetchone() != (True,):
            raise ReratingBusy("another re-rating is at work right now")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('weir.rerating'))")
