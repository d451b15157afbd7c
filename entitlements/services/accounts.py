"""Opening accounts from Django: locked, brought up to date, and written back when the block ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import msgspec
from django.db import connection, transaction

from entitlements.core.account import Account
from entitlements.core.low_balance import notice_low
from entitlements.core.timeline import bring_up_to_date
from entitlements.services.problems import CustomerUnknown
from entitlements.store.accounts import (
    Wanted,
    build_accounts,
    ended_holds_statement,
    furnish,
    load_statements,
    save_statements,
)
from entitlements.store.reference import Reference, django_reference
from kernel.sql_files import Statement
from metering.events import EventRow


class Opened(msgspec.Struct):
    """Locked accounts by customer key, what they are decided from, and the usage events to store with them."""

    accounts: dict[str, Account]
    reference: Reference
    events: list[EventRow]


@contextmanager
def opened(wanted: Wanted, *, now: datetime) -> Iterator[Opened]:
    """Lock the accounts of `wanted`, bring them up to date, and save what the block did to them.

    One transaction; an exception in the block undoes all of it. Unknown customers are left out.
    """
    with transaction.atomic():
        opened = _load(wanted, now=now, lock=True)
        yield opened
        notice_low(opened.accounts.values(), now)
        for statement in save_statements(opened.accounts.values(), opened.events):
            _run(statement)


@contextmanager
def opened_one(key: str, *, now: datetime) -> Iterator[tuple[Account, Reference]]:
    """`opened` for one customer. Raises CustomerUnknown."""
    with opened(_only(key), now=now) as these:
        if key not in these.accounts:
            raise CustomerUnknown(f"no customer has the key {key!r}")
        yield these.accounts[key], these.reference


class BalanceView(msgspec.Struct, frozen=True):
    """A balance as of one instant. Microcredits."""

    posted: int
    held: int
    debt: int
    overage: int
    available: int
    valid_until: datetime | None
    period_start: datetime | None
    period_end: datetime | None
    plan_version_id: int | None


def read_balance(key: str, now: datetime) -> BalanceView:
    """The balance at `now`: what is due by then has happened in it, whether or not it is stored yet.

    Writes nothing. Raises CustomerUnknown.
    """
    account, _ = read_account(key, now)
    return BalanceView(
        account.posted,
        account.held,
        account.debt,
        account.overage,
        account.available,
        account.valid_until,
        account.period_start,
        account.period_end,
        account.plan_version_id,
    )


def read_account(key: str, now: datetime) -> tuple[Account, Reference]:
    """The account brought up to date in memory, without a lock. Raises CustomerUnknown."""
    with transaction.atomic():
        # One snapshot for the balance row and its grants: without the lock they must not be of two times.
        if not connection.savepoint_ids:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        these = _load(_only(key), now=now, lock=False)
    if key not in these.accounts:
        raise CustomerUnknown(f"no customer has the key {key!r}")
    return these.accounts[key], these.reference


def _only(key: str) -> Wanted:
    wanted = Wanted()
    wanted[key]
    return wanted


def _load(wanted: Wanted, *, now: datetime, lock: bool) -> Opened:
    revision, accounts = build_accounts(
        [_run(statement) for statement in load_statements(wanted, now=now, lock=lock)], wanted, now
    )
    ended = ended_holds_statement(accounts, now)
    if ended is not None:
        furnish(accounts, _run(ended), now)
    with connection.cursor() as cursor:
        reference = django_reference.of_sync(revision, cursor)
    for account in accounts.values():
        bring_up_to_date(account, reference.catalogue, now)
    return Opened({account.key: account for account in accounts.values()}, reference, [])


def _run(statement: Statement) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        return [] if cursor.description is None else cursor.fetchall()
