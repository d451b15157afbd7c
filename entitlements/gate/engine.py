"""Running batches: load → decide → apply. One transaction for all the calls of a batch."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import psycopg
import structlog

from access import last_used
from entitlements.core.low_balance import notice_low
from entitlements.core.timeline import bring_up_to_date
from entitlements.gate.calls import Batch, Call, CatchUpCall
from entitlements.gate.connections import Connection, Connections
from entitlements.gate.lane import Lane, Lanes
from entitlements.store.accounts import (
    Wanted,
    build_accounts,
    ended_holds_statement,
    furnish,
    load_statements,
    save_statements,
)
from entitlements.store.margins import MarginFigures
from entitlements.store.reference import Reference, ReferenceCache
from entitlements.store.shared import SharedUsage
from kernel.errors import Problem, Unavailable
from kernel.sql_files import Statement

log = structlog.get_logger("weir.gate")

_LANES = 2
"""Batches decided beside each other, by customer: while one waits for the database, the other is decided."""

_TRIES = 3
_PASSING = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)
_BUSY = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)


class Engine:
    """Two lanes of calls, those that only read and those that write, over one set of connections."""

    def __init__(self, dsn: str) -> None:
        self._connections = Connections(dsn, most=4 * _LANES * 2)
        self.reference = ReferenceCache()
        self._shared = SharedUsage()
        self._margins = MarginFigures()
        self.reads: Lanes[Call, Any] = Lanes(_which, [self._lane(self._read, most=256) for _ in range(_LANES)])
        self.writes: Lanes[Call, Any] = Lanes(_which, [self._lane(self._write, most=128) for _ in range(_LANES)])
        self._catching_up: set[int] = set()
        self._background: set[asyncio.Task[None]] = set()

    def _lane(self, run: Callable[[Sequence[Call]], Awaitable[Sequence[Any]]], *, most: int) -> Lane[Call, Any]:
        return Lane(run, few=2, most=most, weigh=lambda call: call.weight, backlog=10_000 // _LANES)

    async def close(self) -> None:
        """Finish what nobody waits for, and close the connections."""
        await asyncio.gather(*self._background)
        await self._connections.close()

    async def refreshed(self) -> Reference:
        """Reference data of the revision the database is at now. Raises Unavailable."""
        try:
            async with self._connections.one() as connection:
                reference = await self.reference.load(connection)
                await connection.commit()
                return reference
        except psycopg.OperationalError as error:
            raise _unavailable(error) from error

    async def touch_keys(self, now: datetime) -> None:
        """Store which API keys were used since the last time, to the minute. Raises Unavailable."""
        ids = last_used.take()
        if ids:
            minute = now.replace(second=0, microsecond=0)
            try:
                async with self._connections.one() as connection:
                    await connection.execute(last_used.UPDATE, {"now": minute, "ids": list(ids)})
                    await connection.commit()
            except psycopg.OperationalError as error:
                raise _unavailable(error) from error

    async def _read(self, calls: Sequence[Call]) -> Sequence[Any]:
        try:
            async with self._connections.one() as connection:
                # One snapshot for balances and what belongs to them, since nothing is locked.
                await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                batch = await self._load(connection, calls, lock=False)
                await _end_reading(connection)
        except psycopg.OperationalError as error:
            raise _unavailable(error) from error
        results = [_answer(call, batch) for call in calls]
        self._write_what_was_due(batch)
        return results

    def _write_what_was_due(self, batch: Batch) -> None:
        """Store, once, what a read let happen in memory, so that the reads after it need not repeat it."""
        for account in batch.accounts:
            if account.dirty and account.customer_id not in self._catching_up:
                self._catching_up.add(account.customer_id)
                task = asyncio.create_task(self._catch_up(account.customer_id, batch.now))
                self._background.add(task)
                task.add_done_callback(self._background.discard)

    async def _catch_up(self, customer_id: int, now: datetime) -> None:
        try:
            await self.writes.submit(CatchUpCall(customer_id, now))
        except Exception:  # noqa: BLE001 - nobody waits for it, and the next read will ask again
            log.info("could not catch up", customer_id=customer_id)
        finally:
            self._catching_up.discard(customer_id)

    async def _write(self, calls: Sequence[Call]) -> Sequence[Any]:
        for attempt in range(_TRIES):
            try:
                return await self._write_once(calls)
            except _PASSING:
                continue
            except psycopg.errors.DataError:
                if len(calls) == 1:
                    raise
                break
            except psycopg.OperationalError as error:
                # A commit whose answer was lost is safe to repeat: every write is known by its key.
                if attempt or isinstance(error, _BUSY):
                    raise _unavailable(error) from error
        if len(calls) == 1:
            raise Unavailable("the call kept colliding with others; try again in a moment")
        # One call of the batch cannot be written: let the others not suffer for it.
        return [await self._alone(call) for call in calls]

    async def _alone(self, call: Call) -> Any:
        try:
            (result,) = await self._write([call])
        except Exception as error:  # noqa: BLE001 - handed to this caller
            return error
        return result

    async def _write_once(self, calls: Sequence[Call]) -> Sequence[Any]:
        async with self._connections.one() as connection:
            batch = await self._load(connection, calls, lock=True)
            results = [_answer(call, batch) for call in calls]
            notice_low(batch.accounts, batch.now)
            await _run_all(connection, [*save_statements(batch.accounts, batch.events), *batch.records()], commit=True)
        return results

    async def _load(self, connection: Connection, calls: Sequence[Call], *, lock: bool) -> Batch:
        now = max(call.now for call in calls)
        wanted = Wanted()
        for call in calls:
            call.wants(wanted)
        known = self.reference.known()
        # Before anything is locked: a sum over everyone takes longer than callers should wait for a lock.
        shared = {} if known is None else await self._shared.of(known.catalogue, now, connection)
        below = {} if known is None else await self._margins.of(known.revision, now, connection)
        revision, accounts = build_accounts(await _run_all(connection, load_statements(wanted, now=now, lock=lock)))
        reference = await self.reference.of(revision, connection)
        ended = ended_holds_statement(accounts, now)
        if ended is not None:
            furnish(accounts, *await _run_all(connection, [ended]))
        for account in accounts.values():
            bring_up_to_date(account, reference.catalogue, now)
        if reference is not known:
            shared = await self._shared.of(reference.catalogue, now, connection)
            below = await self._margins.of(reference.revision, now, connection)
        for customer_id in below.keys() & accounts.keys():
            accounts[customer_id].margin = below[customer_id]
        return Batch(accounts, reference, now, shared)


async def _run_all(
    connection: Connection, statements: Sequence[Statement], *, commit: bool = False
) -> list[list[tuple[Any, ...]]]:
    """Run statements in one round trip, and the COMMIT with them."""
    async with connection.pipeline():
        cursors = [await connection.execute(statement.sql, statement.params) for statement in statements]
        if commit:
            await connection.commit()
    # Only when the pipeline is done do the cursors know whether they have rows.
    return [await cursor.fetchall() if cursor.description else [] for cursor in cursors]


def _which(call: Call) -> int:
    return call.lane


async def _end_reading(connection: Connection) -> None:
    """End a transaction that wrote nothing. What was read stays true if nobody hears of its end.

    By COMMIT: a ROLLBACK makes psycopg forget every statement it has prepared.
    """
    try:
        await connection.commit()
    except psycopg.OperationalError:
        await connection.close()


def _answer(call: Call, batch: Batch) -> Any:
    """The call's result, or its refusal: one call's refusal is no other's."""
    try:
        return call.run(batch)
    except Problem as problem:
        return problem


def _unavailable(error: psycopg.Error) -> Unavailable:
    if isinstance(error, _BUSY):
        return Unavailable("the database is too busy to answer in time; try again in a moment")
    return Unavailable("the database cannot be reached; try again in a moment")
