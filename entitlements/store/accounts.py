"""Accounts in and out of the database, as statements: the gate runs them in a pipeline, Django one by one.

Rows travel as JSON both ways, decoded and encoded in C straight into the core's structs.
"""

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
    NewGrant,
    OwnEntitlement,
    RunState,
    SeenEvent,
)
from kernel.ids import key_digest
from kernel.sql_files import Statement, sql_file, write
from metering.events import EventRow, write_statements

Rows = Sequence[tuple[Any, ...]]

REVISION = Statement("SELECT revision FROM cache_revision", {})


class Wants(msgspec.Struct, omit_defaults=True):
    """What a batch needs of one customer, named by key or by id."""

    key: str | None = None
    id: int | None = None
    events: set[UUID] = set()
    """Digests of usage keys that may have been recorded before."""
    hold_ids: set[UUID] = set()
    hold_digests: set[UUID] = set()
    run_digests: set[UUID] = set()
    run_ids: set[UUID] = set()
    scope_keys: set[str] = set()
    whole: bool = False
    """Every open hold and run."""

    def scope(self, user: str, run: str) -> None:
        """Whose limits, beside the customer's, and in which run."""
        if user:
            self.scope_keys.add(f"user:{user}")
        if run:
            self.run_digests.add(key_digest(run))


class Wanted(dict[str | int, Wants]):
    """What a batch needs, by customer."""

    def __missing__(self, customer: str | int) -> Wants:
        wants = self[customer] = Wants(id=customer) if isinstance(customer, int) else Wants(key=customer)
        return wants


class Belongings(msgspec.Struct):
    """What belongs to an account, as belongings.sql answers it. Nothing is null, not an empty array."""

    grants: list[GrantState] | None
    entitlements: list[OwnEntitlement] | None
    events: list[SeenEvent] | None
    holds: list[HoldState] | None
    next_hold: datetime | None
    runs: list[RunState] | None
    counters: list[Counter] | None


_belongings = msgspec.json.Decoder(Belongings)
_wants = msgspec.json.Encoder()


def load_statements(wanted: Wanted, *, now: datetime, lock: bool) -> list[Statement]:
    """What to run to load the accounts, for `build_accounts`.

    With `lock`, the first statement takes the balance rows' locks and the others see everything
    committed before that.
    """
    whose = {
        "keys": [customer for customer in wanted if isinstance(customer, str)],
        "ids": [customer for customer in wanted if isinstance(customer, int)],
    }
    return [
        Statement(sql_file("entitlements", "lock_accounts" if lock else "read_accounts"), whose),
        REVISION,
        Statement(
            sql_file("entitlements", "belongings"),
            {"wanted": _wants.encode(list(wanted.values())).decode(), "now": now},
        ),
    ]


def build_accounts(results: Sequence[Rows]) -> tuple[int, dict[int, Account]]:
    """The revision of the cached catalogue, and the accounts found, by customer id."""
    balances, revision, belongings = results
    accounts = {row[0]: Account(*row) for row in balances}
    for customer_id, text in belongings:
        if customer_id in accounts:
            _furnish(accounts[customer_id], _belongings.decode(text))
    return (revision[0][0] if revision else 0), accounts


def _furnish(account: Account, these: Belongings) -> None:
    # A customer named both by key and by id has two sets of belongings, which may overlap.
    if not account.grants and these.grants:
        account.grants = sorted(these.grants, key=burn_key)
    for entitlement in these.entitlements or ():
        account.own_entitlements[entitlement.feature_id] = entitlement
    for event in these.events or ():
        account.seen[event.key_digest] = event
    for hold in these.holds or ():
        account.holds.setdefault(hold.id, hold)
    account.next_hold = these.next_hold
    for run in these.runs or ():
        account.runs.setdefault(run.id, run)
    for counter in these.counters or ():
        account.counters.setdefault((counter.scope_key, counter.limit_key), counter)


def save_statements(accounts: Iterable[Account], events: Sequence[EventRow] = ()) -> list[Statement]:
    """What to run to write back everything that changed. The only place that inserts ledger entries."""
    these = list(accounts)
    new_grants = [grant for account in these for grant in account.new_grants]
    new_holds = [hold for account in these for hold in account.new_holds]
    new_runs = [run for account in these for run in account.new_runs]
    writes: list[tuple[str, Sequence[Any]]] = [
        ("insert_holds", new_holds),
        ("update_holds", _changed(these, "touched_holds", new_holds)),
        ("insert_runs", new_runs),
        ("update_runs", _changed(these, "touched_runs", new_runs)),
        ("put_counters", [account.counters[key] for account in these for key in sorted(account.touched_counters)]),
        ("insert_messages", [message for account in these for message in account.messages]),
        ("insert_grants", [_grant_row(grant) for grant in new_grants]),
        ("update_grants", _changed(these, "touched", [grant.state for grant in new_grants])),
        ("insert_ledger", [row for account in these for row in account.ledger]),
        ("update_balances", [_balance_row(account) for account in these if account.dirty]),
    ]
    return [*write_statements(events), *(write("entitlements", name, rows) for name, rows in writes if rows)]


def _changed(accounts: Sequence[Account], touched: str, new: Sequence[Any]) -> list[Any]:
    """What was touched and is not new: new rows are written as they ended up."""
    fresh = {state.id for state in new}
    return [state for account in accounts for state in getattr(account, touched).values() if state.id not in fresh]


def _grant_row(grant: NewGrant) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(grant)
    state: dict[str, Any] = facts.pop("state")
    return state | facts


def _balance_row(account: Account) -> dict[str, Any]:
    return {
        "customer_id": account.customer_id,
        "posted_microcredits": account.posted,
        "held_microcredits": account.held,
        "debt_microcredits": account.debt,
        "overage_microcredits": account.overage,
        "ledger_seq": account.seq,
        "valid_until": account.valid_until,
        "subscription_id": account.subscription_id,
        "plan_version_id": account.plan_version_id,
        "anchor": account.anchor,
        "period_start": account.period_start,
        "period_end": account.period_end,
        "allowance_end": account.allowance_end,
        "holds_until": account.holds_until,
        "overage_billed_microcredits": account.overage_billed,
        "overdue_since": account.overdue_since,
        "low_below_microcredits": account.low_below,
        "low_since": account.low_since,
        "spend_cap_microcredits": account.spend_cap,
    }
