"""Running batches: load → decide → apply. One transaction for all the calls of a batch."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from access import last_used
from entitlements.core.account import Account
from entitlements.core.check import Answer, Question, check
from entitlements.core.record import Recorded, UsageFact, record_usage
from entitlements.core.timeline import bring_up_to_date
from entitlements.gate.connections import Connection, Connections
from entitlements.gate.lane import Lane
from entitlements.services.problems import CustomerUnknown
from entitlements.store.accounts import build_accounts, load_statements, save_statements
from entitlements.store.reference import Reference, ReferenceCache
from kernel.errors import Problem, Unavailable
from kernel.sql_files import Statement
from metering.events import EventRow

Authorize = Callable[[Reference], None]
"""Raises NotAuthenticated or ScopeMissing. Asked again with the reference data a batch is decided on,
so that a key revoked a moment ago decides nothing."""


class BalanceNow(msgspec.Struct, frozen=True):
    """A balance after the call. Microcredits."""

    posted: int
    held: int
    debt: int
    overage: int
    available: int


class Call(msgspec.Struct, frozen=True):
    """What every call carries."""

    authorize: Authorize
    now: datetime


class CheckCall(Call, frozen=True):
    customer: str
    question: Question


class CheckResult(msgspec.Struct, frozen=True):
    answer: Answer
    balance: BalanceNow


class UsageCall(Call, frozen=True):
    """The readable items of one request, each with its customer's key."""

    items: Sequence[tuple[str, UsageFact]]


class UsageOutcome(msgspec.Struct, frozen=True):
    """What became of one item, and the customer's balance after the request."""

    result: Recorded | Problem
    model: str | None
    balance: BalanceNow | None


_RETRIES = 3
_PASSING = (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)
_BUSY = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)


class Engine:
    """Two lanes, one for calls that only read and one for calls that write."""

    def __init__(self, dsn: str) -> None:
        # Half as many writing batches as connections: bigger batches beat more of them.
        self._connections = Connections(dsn, most=8)
        self.reference = ReferenceCache()
        self.checks: Lane[CheckCall, CheckResult] = Lane(self._check, width=4, most=256, backlog=10_000)
        self.usage: Lane[UsageCall, list[UsageOutcome]] = Lane(self._record, width=4, most=64, backlog=10_000)

    async def close(self) -> None:
        await self._connections.close()

    async def refreshed(self) -> Reference:
        """Reference data of the revision the database is at now."""
        async with self._connections.one() as connection:
            reference = await self.reference.load(connection)
            await connection.commit()
            return reference

    async def touch_keys(self, now: datetime) -> None:
        """Store which API keys were used since the last time, to the minute."""
        ids = last_used.take()
        if ids:
            minute = now.replace(second=0, microsecond=0)
            async with self._connections.one() as connection:
                await connection.execute(last_used.UPDATE, {"now": minute, "ids": list(ids)})
                await connection.commit()

    async def _check(self, calls: Sequence[CheckCall]) -> Sequence[CheckResult | Exception]:
        async with self._connections.one() as connection:
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            await connection.set_read_only(True)
            try:
                now = max(call.now for call in calls)
                keys = list({call.customer for call in calls})
                accounts, reference = await self._load(connection, keys, now=now, lock=False)
            except psycopg.Error as error:
                raise _unavailable(error) from error
            finally:
                if not connection.closed:
                    await connection.rollback()
                    await connection.set_isolation_level(None)
                    await connection.set_read_only(None)
        return [_settled(_check_one, call, accounts, reference, now) for call in calls]

    async def _record(self, calls: Sequence[UsageCall]) -> Sequence[list[UsageOutcome] | Exception]:
        for attempt in range(_RETRIES):
            try:
                return await self._record_once(calls)
            except _PASSING:
                continue
            except psycopg.errors.DataError:
                if len(calls) == 1:
                    raise
                break
            except psycopg.OperationalError as error:
                # A commit whose answer was lost is safe to repeat: every item is known by its key.
                if attempt or isinstance(error, _BUSY):
                    raise _unavailable(error) from error
        if len(calls) == 1:
            raise Unavailable("the call kept colliding with others; try again in a moment")
        # One call of the batch cannot be written: let the others not suffer for it.
        return [result for call in calls for result in await self._alone(call)]

    async def _alone(self, call: UsageCall) -> Sequence[list[UsageOutcome] | Exception]:
        try:
            return await self._record([call])
        except Exception as error:  # noqa: BLE001 - handed to this caller
            return [error]

    async def _record_once(self, calls: Sequence[UsageCall]) -> Sequence[list[UsageOutcome] | Exception]:
        now = max(call.now for call in calls)
        pairs = [(customer, fact.key_digest) for call in calls for customer, fact in call.items]
        async with self._connections.one() as connection:
            accounts, reference = await self._load(
                connection, list({customer for customer, _ in pairs}), now=now, lock=True, events=pairs
            )
            rows: list[EventRow] = []
            results = [_settled(_record_one, call, accounts, reference, now, rows) for call in calls]
            await _run_all(connection, save_statements(accounts.values(), rows), commit=True)
        return results

    async def _load(
        self,
        connection: Connection,
        keys: Sequence[str],
        *,
        now: datetime,
        lock: bool,
        events: Sequence[tuple[str, UUID]] = (),
    ) -> tuple[dict[str, Account], Reference]:
        results = await _run_all(connection, load_statements(keys, now=now, lock=lock, events=events))
        revision, accounts = build_accounts(results)
        reference = await self.reference.of(revision, connection)
        for account in accounts.values():
            bring_up_to_date(account, reference.catalogue, now)
        return accounts, reference


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


def _settled(function: Callable[..., Any], call: Call, *args: Any) -> Any:
    """The call's result, or its refusal: one call's refusal is no other's."""
    try:
        return function(call, *args)
    except Problem as problem:
        return problem


def _check_one(call: CheckCall, accounts: dict[str, Account], reference: Reference, now: datetime) -> CheckResult:
    call.authorize(reference)
    account = accounts.get(call.customer)
    if account is None:
        raise CustomerUnknown(f"no customer has the key {call.customer!r}", field="customer")
    return CheckResult(check(account, call.question, reference.catalogue, now), balance_of(account))


def _record_one(
    call: UsageCall, accounts: dict[str, Account], reference: Reference, now: datetime, rows: list[EventRow]
) -> list[UsageOutcome]:
    call.authorize(reference)
    results = [_record_item(customer, fact, accounts, reference, now, rows) for customer, fact in call.items]
    return [
        UsageOutcome(
            result, _model(fact, reference), balance_of(account) if (account := accounts.get(customer)) else None
        )
        for result, (customer, fact) in zip(results, call.items, strict=True)
    ]


def _record_item(
    customer: str,
    fact: UsageFact,
    accounts: dict[str, Account],
    reference: Reference,
    now: datetime,
    rows: list[EventRow],
) -> Recorded | Problem:
    account = accounts.get(customer)
    if account is None:
        return CustomerUnknown(f"no customer has the key {customer!r}", field="customer")
    try:
        recorded = record_usage(account, fact, reference.catalogue, reference.costs, now)
    except Problem as problem:
        return problem
    if recorded.row is not None:
        rows.append(recorded.row)
    return recorded


def _model(fact: UsageFact, reference: Reference) -> str | None:
    model = reference.catalogue.resolve_model(fact.model, fact.provider) if fact.model else None
    return model.key if model else fact.model or None


def balance_of(account: Account) -> BalanceNow:
    """The account's balance as a value."""
    return BalanceNow(account.posted, account.held, account.debt, account.overage, account.available)


def _unavailable(error: psycopg.Error) -> Unavailable:
    if isinstance(error, _BUSY):
        return Unavailable("the database is too busy to answer in time; try again in a moment")
    return Unavailable("the database cannot be reached; try again in a moment")
