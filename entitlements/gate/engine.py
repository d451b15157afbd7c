"""Running batches: one transaction for all the calls of a batch.

What is kept is decided on at once and proved by the transaction that stores the decisions; what is not kept is loaded
first. Where the proof fails, and for accounts others are changing as well: lock, load, decide, apply (ADR 17).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import psycopg
import structlog

from access import last_used
from entitlements.core.account import Account
from entitlements.core.limits import Shared
from entitlements.core.low_balance import notice_low
from entitlements.core.timeline import bring_up_to_date
from entitlements.gate.calls import Batch, Call, CatchUpCall
from entitlements.gate.connections import Connections
from entitlements.gate.kept import KeptAccounts
from entitlements.gate.lane import Lane, Lanes
from entitlements.gate.line import Line, Rows
from entitlements.store.accounts import (
    Wanted,
    build_accounts,
    ended_holds_statement,
    furnish,
    load_statements,
    require_new_keys,
    save_statements,
    versions_statement,
)
from entitlements.store.margins import BelowFloor, MarginFigures
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
        self._connections = Connections(dsn, most=4 * _LANES * 2, lost=self._forget)
        self.reference = ReferenceCache()
        self._shared = SharedUsage()
        self._margins = MarginFigures()
        self._kept = KeptAccounts()
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

    def _forget(self) -> None:
        """A server was lost, and another may have taken its place that knows less: keep nothing, whoever has it now."""
        self._kept = KeptAccounts()

    async def refreshed(self) -> Reference:
        """Reference data of the revision the database is at now. Raises Unavailable."""
        try:
            async with self._connections.one() as line:
                return await self.reference.load(line)
        except psycopg.OperationalError as error:
            raise _unavailable(error) from error

    async def touch_keys(self, now: datetime) -> None:
        """Store which API keys were used since the last time, to the minute. Raises Unavailable."""
        ids = last_used.take()
        if ids:
            minute = now.replace(second=0, microsecond=0)
            try:
                async with self._connections.one() as line:
                    await line.ask(Statement(last_used.UPDATE, {"now": minute, "ids": list(ids)}))
            except psycopg.OperationalError as error:
                raise _unavailable(error) from error

    async def _read(self, calls: Sequence[Call]) -> Sequence[Any]:
        keeping = self._kept
        try:
            async with self._connections.one() as line:
                results, rest = await self._read_kept(line, calls)
                if rest:
                    # One snapshot for balances and what belongs to them, since nothing is locked.
                    await line.ask(_BEGIN_READING)
                    now = _now(rest.values())
                    reference, accounts = await self._load(line, _wanted(rest.values()), now)
                    batch = await self._batch(line, accounts, reference, now)
                    await _end_reading(line)
        except psycopg.OperationalError as error:
            raise _unavailable(error) from error
        if rest:
            results |= {place: _answer(call, batch) for place, call in rest.items()}
            self._write_what_was_due(batch)
            for account in batch.accounts:
                if not account.changed:
                    keeping.put(account, account.version)
        return [results[place] for place in range(len(calls))]

    async def _read_kept(self, line: Line, calls: Sequence[Call]) -> tuple[dict[int, Any], dict[int, Call]]:
        """Answer from kept accounts what can be, by the calls' places; and the calls that are left."""
        now, reference = _now(calls), self.reference.known()
        kept = {} if reference is None else self._kept.known(_wanted(calls), now)
        if reference is None or not kept:
            return {}, dict(enumerate(calls))
        (versions,) = await line.run([versions_statement(kept.values())])
        stored = {customer_id: version for customer_id, version, revision in versions if revision == reference.revision}
        # First what is waited for, then what may have been taken meanwhile.
        shared, below = await self._figures(line, reference, now)
        same = {
            name: account
            for name, account in kept.items()
            if stored.get(account.customer_id) == account.version and self._kept.still(account)
        }
        batch = _batch_of({account.customer_id: account for account in same.values()}, reference, now, shared, below)
        answered = {
            place: _answer(call, batch)
            for place, call in enumerate(calls)
            if all(customer in same for customer in call.customers)
        }
        return answered, {place: call for place, call in enumerate(calls) if place not in answered}

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
        contended = [call for call in calls if any(map(self._kept.is_contended, call.customers))]
        if not contended:
            return await self._write_at_once(calls)
        calm = [call for call in calls if call not in contended]
        done = await asyncio.gather(_each(self._write_at_once, calm), _each(self._write_locked, contended))
        results = dict(chain(*done))
        return [results[call] for call in calls]

    async def _write_at_once(self, calls: Sequence[Call]) -> Sequence[Any]:
        """Decide without locks, and store it in one round trip, if what it was decided on is still so. If not, lock."""
        now, known, wanted, keeping = _now(calls), self.reference.known(), _wanted(calls), self._kept
        kept = {} if known is None else keeping.known(wanted, now)
        accounts = {account.customer_id: account for account in kept.values()}
        keeping.take(accounts)
        try:
            async with self._connections.one() as line:
                reference = known
                if reference is None or len(kept) < len(wanted):
                    reference, loaded = await self._load(line, wanted.without(kept), now)
                    accounts |= loaded
                    keeping.take(loaded)
                batch = await self._batch(line, accounts, reference, now)
                results = [_answer(call, batch) for call in calls]
                notice_low(batch.accounts, now)
                saving = save_statements(batch.accounts, batch.events, revision=reference.revision)
                new_keys = require_new_keys(wanted, kept, batch.events)
                stored = await _try_all(line, [*saving, *batch.records(), *new_keys])
            if stored is not None:
                for account in batch.accounts:
                    keeping.put(account, stored[0][0][0])
                return results
            keeping.avoid(accounts)
        except _BUSY as error:
            raise _unavailable(error) from error
        except psycopg.OperationalError:
            # Whether it is stored, and what else has happened meanwhile, is seen by loading.
            pass
        finally:
            keeping.release(accounts)
        return await self._write_locked(calls)

    async def _write_locked(self, calls: Sequence[Call]) -> Sequence[Any]:
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
            (result,) = await self._write_locked([call])
        except Exception as error:  # noqa: BLE001 - handed to this caller
            return error
        return result

    async def _write_once(self, calls: Sequence[Call]) -> Sequence[Any]:
        now, known, keeping = _now(calls), self.reference.known(), self._kept
        accounts: dict[int, Account] = {}
        try:
            async with self._connections.one() as line:
                if known is not None:
                    # Before anything is locked: a sum over everyone takes longer than callers should wait for a lock.
                    await self._figures(line, known, now)
                reference, accounts = await self._load(line, _wanted(calls), now, lock=True)
                keeping.take(accounts)
                batch = await self._batch(line, accounts, reference, now)
                results = [_answer(call, batch) for call in calls]
                notice_low(batch.accounts, now)
                saving = save_statements(batch.accounts, batch.events)
                stored = await line.run([*saving, *batch.records(), _COMMIT])
            for account in batch.accounts:
                keeping.put(account, stored[0][0][0] if account.changed else account.version)
        finally:
            keeping.release(accounts)
        return results

    async def _load(
        self, line: Line, wanted: Wanted, now: datetime, *, lock: bool = False
    ) -> tuple[Reference, dict[int, Account]]:
        """The accounts, brought up to date, and what they are decided from."""
        loading = load_statements(wanted, now=now, lock=lock)
        loaded = await line.run([_BEGIN, *loading] if lock else loading)
        revision, accounts = build_accounts(loaded[-len(loading) :], wanted, now)
        reference = await self.reference.of(revision, line)
        ended = ended_holds_statement(accounts, now)
        if ended is not None:
            (belongings,) = await line.run([ended])
            furnish(accounts, belongings, now)
        for account in accounts.values():
            bring_up_to_date(account, reference.catalogue, now)
        return reference, accounts

    async def _batch(self, line: Line, accounts: dict[int, Account], reference: Reference, now: datetime) -> Batch:
        return _batch_of(accounts, reference, now, *await self._figures(line, reference, now))

    async def _figures(self, line: Line, reference: Reference, now: datetime) -> tuple[Shared, BelowFloor]:
        """What is kept for seconds: what shared limits have used, and who is below a margin floor."""
        shared = await self._shared.of(reference.catalogue, now, line)
        return shared, await self._margins.of(reference.revision, now, line)


_BEGIN, _COMMIT = Statement("BEGIN", {}), Statement("COMMIT", {})
_BEGIN_READING = Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", {})


async def _try_all(line: Line, statements: Sequence[Statement]) -> list[Rows] | None:
    """Run statements as one transaction; None, and nothing is written, where a row has moved or a key is there."""
    try:
        return await line.run(statements)
    except (*_PASSING, psycopg.IntegrityError, psycopg.DataError):
        return None


async def _each(
    run: Callable[[Sequence[Call]], Awaitable[Sequence[Any]]], calls: Sequence[Call]
) -> Iterable[tuple[Call, Any]]:
    """The calls with their results; if all failed together, that is each one's result."""
    try:
        return zip(calls, await run(calls), strict=True) if calls else ()
    except Exception as error:  # noqa: BLE001 - handed to every caller
        return [(call, error) for call in calls]


def _now(calls: Iterable[Call]) -> datetime:
    return max(call.now for call in calls)


def _wanted(calls: Iterable[Call]) -> Wanted:
    wanted = Wanted()
    for call in calls:
        call.wants(wanted)
    return wanted


def _batch_of(
    accounts: dict[int, Account], reference: Reference, now: datetime, shared: Shared, below: BelowFloor
) -> Batch:
    for account in accounts.values():
        account.margin = below.get(account.customer_id)
    return Batch(accounts, reference, now, shared)


def _which(call: Call) -> int:
    return call.lane


async def _end_reading(line: Line) -> None:
    """End a transaction that wrote nothing. What was read stays true if nobody hears of its end."""
    try:
        await line.ask(_COMMIT)
    except psycopg.OperationalError:
        await line.close()


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
