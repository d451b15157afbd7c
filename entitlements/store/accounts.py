"""Accounts in and out of the database, as statements: the gate runs them in a pipeline, Django one by one."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from entitlements.burndown import burn_key
from entitlements.core.account import (
    Account,
    Counter,
    GrantState,
    HoldState,
    LedgerRow,
    Message,
    NewGrant,
    OwnEntitlement,
    RunState,
    SeenEvent,
)
from kernel.ids import key_digest
from kernel.sql_files import Statement, sql_file
from metering.events import EventRow, write_statements

Rows = Sequence[tuple[Any, ...]]

REVISION = Statement("SELECT revision FROM cache_revision", {})
# JSON columns are read as text: Django's connections and the gate's would decode them differently.
_json = msgspec.json.Encoder()
_claims = msgspec.json.Decoder(list[tuple[str, str, int]])
_CLAIMS = HoldState.__struct_fields__.index("claims")


class Wanted(msgspec.Struct):
    """What a batch needs loaded: whose accounts, and what of theirs it names."""

    keys: set[str] = msgspec.field(default_factory=set)
    ids: set[int] = msgspec.field(default_factory=set)
    events: list[tuple[str | None, int | None, UUID]] = msgspec.field(default_factory=list)
    """(customer key or id, key digest) of usage that may have been recorded before."""
    hold_ids: set[UUID] = msgspec.field(default_factory=set)
    hold_digests: set[UUID] = msgspec.field(default_factory=set)
    run_digests: set[UUID] = msgspec.field(default_factory=set)
    run_ids: set[UUID] = msgspec.field(default_factory=set)
    scope_keys: set[str] = msgspec.field(default_factory=lambda: {""})
    whole: set[int] = msgspec.field(default_factory=set)
    """Ids of customers of whom every open hold and run is wanted."""

    def usage(self, customer: str, digest: UUID, *, user: str, run: str) -> None:
        """One reported action."""
        self.keys.add(customer)
        self.events.append((customer, None, digest))
        self.scope(user, run)

    def scope(self, user: str, run: str) -> None:
        """Whose limits, beside the customer's, and in which run."""
        if user:
            self.scope_keys.add(f"user:{user}")
        if run:
            self.run_digests.add(key_digest(run))

    def hold(self, customer_id: int, hold_id: UUID) -> None:
        """A hold by its id."""
        self.ids.add(customer_id)
        self.hold_ids.add(hold_id)


def load_statements(wanted: Wanted, *, now: datetime, lock: bool) -> list[tuple[str, Statement]]:
    """What to run to load the accounts, each with what it loads. What nobody names is not asked for.

    With `lock`, the first statement takes the balance rows' locks and the others see everything
    committed before that.
    """
    these: dict[str, Any] = {"keys": list(wanted.keys), "ids": list(wanted.ids)}
    statements = [
        ("accounts", _entitlements("lock_accounts" if lock else "read_accounts", these)),
        ("revision", REVISION),
        ("grants", _entitlements("open_grants", these)),
        ("entitlements", _entitlements("own_entitlements", these | {"now": now})),
        (
            "counters",
            _entitlements(
                "counters", these | {"scope_keys": list(wanted.scope_keys), "hold_ids": list(wanted.hold_ids)}
            ),
        ),
    ]
    if wanted.events:
        keys, ids, digests = zip(*wanted.events, strict=True)
        events = {"customer_keys": list(keys), "customer_ids": list(ids), "digests": list(digests)}
        statements.append(("events", _entitlements("seen_events", events)))
    if wanted.hold_ids or wanted.hold_digests:
        named = these | {"hold_ids": list(wanted.hold_ids), "hold_digests": list(wanted.hold_digests)}
        statements.append(("holds", _entitlements("holds", named)))
    if wanted.run_digests or wanted.run_ids or wanted.hold_ids:
        named = these | {
            "run_digests": list(wanted.run_digests),
            "run_ids": list(wanted.run_ids),
            "hold_ids": list(wanted.hold_ids),
        }
        statements.append(("runs", _entitlements("runs", named)))
    return statements


def whole_statements(accounts: Iterable[Account], wanted: Wanted, now: datetime) -> list[tuple[str, Statement]]:
    """What to run next for accounts with something due, or wanted whole: all that is open of them."""
    ids = [
        account.customer_id
        for account in accounts
        if account.customer_id in wanted.whole or (account.holds_until is not None and account.holds_until <= now)
    ]
    if not ids:
        return []
    return [
        ("holds", _entitlements("open_holds", {"ids": ids})),
        ("runs", _entitlements("open_runs", {"ids": ids})),
        ("counters", _entitlements("held_counters", {"ids": ids})),
    ]


def build_accounts(results: Iterable[tuple[str, Rows]]) -> tuple[int, dict[int, Account]]:
    """The revision of the cached catalogue, and the accounts found, by customer id."""
    revision = 0
    accounts: dict[int, Account] = {}
    for what, rows in results:
        if what == "accounts":
            accounts = {row[0]: Account(*row) for row in rows}
        elif what == "revision":
            revision = rows[0][0] if rows else 0
        else:
            add_to_accounts(accounts, what, rows)
    return revision, accounts


def add_to_accounts(accounts: dict[int, Account], what: str, rows: Rows) -> None:
    """Put loaded rows where they belong. What an account has already is not loaded over."""
    for customer_id, *row in rows:
        account = accounts[customer_id]
        if what == "grants":
            account.grants.append(GrantState(*row))
        elif what == "entitlements":
            feature_id, allowed, max_rank, at_limit, config = row
            value = None if config is None else msgspec.json.decode(config)
            account.own_entitlements[feature_id] = OwnEntitlement(feature_id, allowed, max_rank, at_limit, value)
        elif what == "events":
            account.seen[row[0]] = SeenEvent(*row[1:])
        elif what == "holds":
            state = HoldState(**dict(zip(HoldState.__struct_fields__, row, strict=True)))
            state.claims = _claims.decode(row[_CLAIMS])
            account.holds.setdefault(state.id, state)
        elif what == "runs":
            run = RunState(**dict(zip(RunState.__struct_fields__, row, strict=True)))
            account.runs.setdefault(run.id, run)
        elif what == "counters":
            account.counters.setdefault((row[0], row[1]), Counter(*row[2:]))
    if what == "grants":
        for account in accounts.values():
            account.grants.sort(key=burn_key)


def save_statements(accounts: Iterable[Account], events: Sequence[EventRow] = ()) -> list[Statement]:
    """What to run to write back everything that changed. The only place that inserts ledger entries."""
    these = list(accounts)
    return [*write_statements(events), *_holds(these), *_grants(these), *_balances(these)]


def _grants(accounts: Sequence[Account]) -> Iterable[Statement]:
    new = [(account.customer_id, grant) for account in accounts for grant in account.new_grants]
    if new:
        yield _entitlements(
            "insert_grants",
            _rows(GrantState, [(customer_id, grant.state) for customer_id, grant in new])
            | {
                name: [getattr(grant, name) for _, grant in new]
                for name in NewGrant.__struct_fields__
                if name != "state"
            },
        )
    fresh = {grant.state.id for _, grant in new}
    moved = _pairs(accounts, "touched", fresh)
    if moved:
        yield _entitlements("update_grants", _rows(GrantState, moved))
    ledger = [row for account in accounts for row in account.ledger]
    if ledger:
        yield _entitlements("insert_ledger", _columns(LedgerRow, ledger))


def _holds(accounts: Sequence[Account]) -> Iterable[Statement]:
    """Holds, and what only holds and usage in runs or under limits move: runs, counters, messages."""
    new = [(account.customer_id, hold) for account in accounts for hold in account.new_holds]
    if new:
        yield _entitlements("insert_holds", _jsoned(_rows(HoldState, new), "runs", "claims"))
    moved = _pairs(accounts, "touched_holds", {hold.id for _, hold in new})
    if moved:
        yield _entitlements("update_holds", _jsoned(_rows(HoldState, moved), "runs", "claims"))
    opened = [(account.customer_id, run) for account in accounts for run in account.new_runs]
    if opened:
        yield _entitlements("insert_runs", _jsoned(_rows(RunState, opened), "ancestors"))
    changed = _pairs(accounts, "touched_runs", {run.id for _, run in opened})
    if changed:
        yield _entitlements("update_runs", _jsoned(_rows(RunState, changed), "ancestors"))
    counters = [
        (account.customer_id, *key, *msgspec.structs.astuple(account.counters[key]))
        for account in accounts
        for key in sorted(account.touched_counters)
    ]
    if counters:
        names = ("customer_id", "scope_key", "limit_key", *Counter.__struct_fields__)
        values = zip(*counters, strict=True)
        yield _entitlements("put_counters", {name: list(column) for name, column in zip(names, values, strict=True)})
    messages = [(account.customer_id, message) for account in accounts for message in account.messages]
    if messages:
        yield _entitlements("insert_messages", _jsoned(_rows(Message, messages), "payload"))


def _balances(accounts: Sequence[Account]) -> Iterable[Statement]:
    changed = [account for account in accounts if account.dirty]
    if changed:
        yield _entitlements(
            "update_balances", {name: [getattr(account, name) for account in changed] for name in _BALANCE_COLUMNS}
        )


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
    "holds_until",
)


def _entitlements(name: str, params: dict[str, Any]) -> Statement:
    return Statement(sql_file("entitlements", name), params)


def _pairs(accounts: Sequence[Account], touched: str, fresh: set[UUID]) -> list[tuple[int, Any]]:
    """What was touched and is not new: (customer id, state)."""
    return [
        (account.customer_id, state)
        for account in accounts
        for state in getattr(account, touched).values()
        if state.id not in fresh
    ]


def _rows(struct: type[msgspec.Struct], rows: Sequence[tuple[int, msgspec.Struct]]) -> dict[str, Any]:
    return {"customer_id": [customer_id for customer_id, _ in rows], **_columns(struct, [row for _, row in rows])}


def _columns(struct: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> dict[str, Any]:
    columns = zip(*map(msgspec.structs.astuple, rows), strict=True)
    return {name: list(values) for name, values in zip(struct.__struct_fields__, columns, strict=True)}


def _jsoned(params: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        params[name] = [_json.encode(value).decode() for value in params[name]]
    return params
