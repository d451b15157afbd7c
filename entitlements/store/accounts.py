"""Accounts in and out of the database, as statements: the gate runs them in a pipeline, Django one by one."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from entitlements.burndown import burn_key
from entitlements.core.account import Account, GrantState, LedgerRow, NewGrant, OwnEntitlement, SeenEvent
from kernel.sql_files import Statement, sql_file
from metering.events import EventRow, write_statements

Rows = Sequence[tuple[Any, ...]]

REVISION = Statement("SELECT revision FROM cache_revision", {})


def load_statements(
    keys: Sequence[str], *, now: datetime, lock: bool, events: Sequence[tuple[str, UUID]] = ()
) -> list[Statement]:
    """What to run to load the accounts of customers `keys`.

    With `lock`, the first statement takes the balance rows' locks and the others see everything
    committed before that. `events` are (customer key, key digest) pairs to look up.
    """
    these = {"keys": list(keys)}
    return [
        Statement(sql_file("entitlements", "lock_accounts" if lock else "read_accounts"), these),
        REVISION,
        Statement(sql_file("entitlements", "open_grants"), these),
        Statement(sql_file("entitlements", "own_entitlements"), {**these, "now": now}),
        Statement(
            sql_file("entitlements", "seen_events"),
            {"customer_keys": [key for key, _ in events], "digests": [digest for _, digest in events]},
        ),
    ]


def build_accounts(results: Sequence[Rows]) -> tuple[int, dict[str, Account]]:
    """The revision of the cached catalogue, and the accounts found, by customer key."""
    balances, revision, grants, own, seen = results
    by_id = {row[0]: Account(*row) for row in balances}
    for customer_id, *grant in grants:
        by_id[customer_id].grants.append(GrantState(*grant))
    for account in by_id.values():
        account.grants.sort(key=burn_key)
    for customer_id, *entitlement in own:
        by_id[customer_id].own_entitlements[entitlement[0]] = OwnEntitlement(*entitlement)
    for customer_id, digest, *event in seen:
        by_id[customer_id].seen[digest] = SeenEvent(*event)
    return (revision[0][0] if revision else 0), {account.key: account for account in by_id.values()}


def save_statements(accounts: Iterable[Account], events: Sequence[EventRow] = ()) -> list[Statement]:
    """What to run to write back everything that changed. The only place that inserts ledger entries."""
    changed = [account for account in accounts if account.dirty]
    statements = write_statements(events)
    new = [(account.customer_id, grant) for account in changed for grant in account.new_grants]
    if new:
        statements.append(Statement(sql_file("entitlements", "insert_grants"), _new_grants(new)))
    fresh = {grant.state.id for _, grant in new}
    moved = [
        (account.customer_id, grant)
        for account in changed
        for grant in account.touched.values()
        if grant.id not in fresh
    ]
    if moved:
        statements.append(Statement(sql_file("entitlements", "update_grants"), _moved_grants(moved)))
    ledger = [row for account in changed for row in account.ledger]
    if ledger:
        statements.append(Statement(sql_file("entitlements", "insert_ledger"), _transposed(LedgerRow, ledger)))
    if changed:
        statements.append(Statement(sql_file("entitlements", "update_balances"), _balances(changed)))
    return statements


def _transposed(struct: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> dict[str, Any]:
    columns = zip(*map(msgspec.structs.astuple, rows), strict=True)
    return {name: list(values) for name, values in zip(struct.__struct_fields__, columns, strict=True)}


def _moved_grants(moved: Sequence[tuple[int, GrantState]]) -> dict[str, Any]:
    return {
        "customer_id": [customer_id for customer_id, _ in moved],
        **{
            name: [getattr(grant, name) for _, grant in moved]
            for name in ("id", "remaining", "activated_at", "closed_at", "voided_at")
        },
    }


def _new_grants(new: Sequence[tuple[int, NewGrant]]) -> dict[str, Any]:
    return {
        "customer_id": [customer_id for customer_id, _ in new],
        **_transposed(GrantState, [grant.state for _, grant in new]),
        **{name: [getattr(grant, name) for _, grant in new] for name in NewGrant.__struct_fields__ if name != "state"},
    }


_BALANCE_COLUMNS = (
    "customer_id",
    "posted",
    "held",
    "debt",
    "overage",
    "seq",
    "valid_until",
    "subscription_id",
    "plan_version_id",
    "anchor",
    "period_start",
    "period_end",
    "allowance_end",
)


def _balances(accounts: Sequence[Account]) -> dict[str, Any]:
    return {name: [getattr(account, name) for account in accounts] for name in _BALANCE_COLUMNS}
