"""The same shelf in the database, through the store's own statements: what a call does not name is not loaded."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from django.db import connection, transaction

from entitlements.burndown import burn_key
from entitlements.core.account import Account, Counter, GrantState, HoldState, LedgerRow, RunState, SeenEvent
from entitlements.gate.kept import KeptAccounts
from entitlements.models import Customer
from entitlements.store.accounts import (
    Wanted,
    build_accounts,
    ended_holds_statement,
    furnish,
    load_statements,
    save_statements,
)
from kernel.sql_files import Statement
from metering.events import EventRow
from tests.properties.account_steps import ACME

T = TypeVar("T")


class DatabaseShelf:
    """One customer, in a transaction that is undone by `clear`."""

    def __init__(self, *, time_zone: str, now: datetime) -> None:
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        self._kept = KeptAccounts()
        Customer.objects.create(id=ACME, key="acme", name="Acme", time_zone=time_zone, created_at=now)

    def clear(self) -> None:
        transaction.set_rollback(True)
        self._transaction.__exit__(None, None, None)

    def load(self, wanted: Wanted, now: datetime) -> Account:
        """The account as the last call left it, if all that is wanted is there and no key is known; else as stored."""
        kept = self._kept.known(wanted, now)
        if len(kept) == len(wanted) and not _known(wanted):
            return next(iter(kept.values()))
        _, accounts = build_accounts([_run(each) for each in load_statements(wanted, now=now, lock=True)], wanted, now)
        ended = ended_holds_statement(accounts, now)
        if ended is not None:
            furnish(accounts, _run(ended), now)
        return accounts[ACME]

    def everything(self) -> Account:
        """All there is, read table by table and not as the store reads it."""
        wanted = Wanted()
        wanted["acme"]
        accounts, *_ = load_statements(wanted, now=datetime.now().astimezone(), lock=False)
        (row,) = _run(accounts)
        account = Account(*row)
        account.grants = sorted(_all("credit_grant", GrantState), key=burn_key)
        account.holds = {hold.id: hold for hold in _all("hold", HoldState)}
        account.runs = {run.id: run for run in _all("run", RunState)}
        account.counters = {(each.scope_key, each.limit_key): each for each in _all("limit_counter", Counter)}
        account.seen = {event.key_digest: event for event in _all("usage_event", SeenEvent)}
        return account

    def save(self, account: Account, events: Sequence[EventRow] = (), records: Sequence[Statement] = ()) -> None:
        results = [_run(statement) for statement in (*save_statements([account], events), *records)]
        self._kept.put(account, results[0][0][0] if account.changed else account.version)

    def changed_elsewhere(self) -> None:
        """Another process has changed the account: versions would tell, if these were transactions of their own."""
        self._kept = KeptAccounts()

    @property
    def ledger(self) -> list[LedgerRow]:
        return sorted(_all("ledger_entry", LedgerRow), key=lambda row: row.seq)

    @property
    def messages(self) -> dict[str, dict[str, Any]]:
        rows = _run(Statement("SELECT key, payload::text FROM outbox_message", {}))
        return {key: msgspec.json.decode(payload) for key, payload in rows}


def _known(wanted: Wanted) -> bool:
    """Whether a key was used before, which in the gate the writing transaction finds out (`require_new_keys`)."""
    keys = [key for wants in wanted.values() for key in (*wants.events, *wants.new_holds)]
    used = (
        "SELECT FROM usage_event WHERE key_digest = ANY(%(keys)s) UNION ALL SELECT FROM hold WHERE id = ANY(%(keys)s)"
    )
    ((known,),) = _run(Statement(f"SELECT EXISTS ({used})", {"keys": keys}))
    return bool(known)


def _run(statement: Statement) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        return [] if cursor.description is None else cursor.fetchall()


def _all(table: str, struct: type[T]) -> list[T]:
    ((text,),) = _run(Statement(f"SELECT COALESCE(json_agg(t), '[]')::text FROM {table} t", {}))
    return msgspec.json.decode(text, type=list[struct])  # type: ignore[valid-type]
