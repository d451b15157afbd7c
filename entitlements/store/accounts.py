"""Accounts in and out of the database, as statements: the gate runs them in a pipeline, Django one by one.

Rows travel as JSON both ways, decoded and encoded in C straight into the core's structs.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
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
    new_holds: set[UUID] = set()
    """Holds about to be placed, which may be there already: then the first answer is all that is asked for."""
    run_digests: set[UUID] = set()
    run_ids: set[UUID] = set()
    scope_keys: set[str] = set()
    due: bool = False
    """Every hold that has ended."""
    whole: bool = False
    """Every open hold and run."""

    @property
    def in_no_run(self) -> bool:
        """Whether neither runs are named nor holds that are not named one by one."""
        return not (self.run_digests or self.run_ids or self.due or self.whole)

    @property
    def of_callers_only(self) -> bool:
        """Whether nothing is named that leads on to holds' and runs' own counters."""
        return self.in_no_run and not self.hold_ids

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

    def without(self, names: Collection[str | int]) -> "Wanted":
        """What is needed of the others."""
        return Wanted({name: wants for name, wants in self.items() if name not in names})


class _OwnEntitlement(OwnEntitlement, frozen=True, kw_only=True):
    customer_id: int
    starts_at: datetime
    ends_at: datetime | None


class _SeenEvent(SeenEvent, frozen=True, kw_only=True):
    customer_id: int


class _FirstAnswer(msgspec.Struct, frozen=True):
    customer_id: int
    id: UUID
    answer: msgspec.Raw


class _NextHold(msgspec.Struct, frozen=True):
    customer_id: int
    expires_at: datetime


class Belongings(msgspec.Struct):
    """What belongs to accounts, as belongings.sql answers it. Nothing is null, not an empty array."""

    grants: list[GrantState] | None
    entitlements: list[_OwnEntitlement] | None
    events: list[_SeenEvent] | None
    holds: list[HoldState] | None
    answers: list[_FirstAnswer] | None
    counters: list[Counter] | None
    next_holds: list[_NextHold] | None = None
    runs: list[RunState] | None = None


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
        _look_for(wanted.values(), now),
    ]


def build_accounts(results: Sequence[Rows], wanted: Wanted, now: datetime) -> tuple[int, dict[int, Account]]:
    """The revision of the cached catalogue, and the accounts found, by customer id."""
    balances, revision, belongings = results
    accounts = {row[0]: Account(*row) for row in balances}
    furnish(accounts, belongings, now)
    for account in accounts.values():
        account.terms_as_loaded = terms_of(account)
        for name in (account.customer_id, account.key):
            if name in wanted:
                account.scopes |= wanted[name].scope_keys
    return (revision[0][0] if revision else 0), accounts


def versions_statement(accounts: Iterable[Account]) -> Statement:
    """What to run to learn the (customer id, version, the catalogue's revision) of accounts now."""
    return Statement(sql_file("entitlements", "versions"), {"ids": [account.customer_id for account in accounts]})


def ended_holds_statement(accounts: Mapping[int, Account], now: datetime) -> Statement | None:
    """What to run, for `furnish`, when holds of these accounts have ended; mostly none have."""
    due = [
        Wants(id=account.customer_id, due=True)
        for account in accounts.values()
        if account.holds_until is not None and account.holds_until <= now
    ]
    return _look_for(due, now) if due else None


def furnish(accounts: Mapping[int, Account], belongings: Rows, now: datetime) -> None:
    """Put what belongs to the accounts into them. What is there already stays.

    A customer created since the accounts were read is not among them, and is left out.
    """
    these = _belongings.decode(belongings[0][0])
    for own in these.entitlements or ():
        if own.customer_id in accounts:
            _entitle(accounts[own.customer_id], own, now)
    for name, take in _TAKES:
        for row in getattr(these, name) or ():
            account = accounts.get(row.customer_id)
            if account is not None:
                take(account, row)
    for account in accounts.values():
        if len(account.grants) > 1:
            # A customer named both by key and by id is asked for twice.
            account.grants = sorted({grant.id: grant for grant in reversed(account.grants)}.values(), key=burn_key)


_TAKES: Final[Sequence[tuple[str, Callable[[Account, Any], object]]]] = (
    ("grants", lambda account, grant: account.grants.append(grant)),
    ("events", lambda account, event: account.seen.setdefault(event.key_digest, event)),
    ("holds", lambda account, hold: account.holds.setdefault(hold.id, hold)),
    ("answers", lambda account, first: account.answers.setdefault(first.id, bytes(first.answer))),
    ("next_holds", lambda account, following: setattr(account, "next_hold", following.expires_at)),
    ("runs", lambda account, run: account.runs.setdefault(run.id, run)),
    ("counters", lambda account, row: account.counters.setdefault((row.scope_key, row.limit_key), row)),
)


def _entitle(account: Account, own: _OwnEntitlement, now: datetime) -> None:
    """Give an account a right of its own, if it is in force; they come in the order they start, the latest counts."""
    if own.starts_at <= now:
        account.own_entitlements[own.feature_id] = own
    changes = own.starts_at if own.starts_at > now else own.ends_at
    if changes is not None and (account.rights_until is None or changes < account.rights_until):
        account.rights_until = changes


def _look_for(wanted: Iterable[Wants], now: datetime) -> Statement:
    these = list(wanted)
    name = "belongings_of_callers" if all(wants.of_callers_only for wants in these) else "belongings"
    return Statement(sql_file("entitlements", name), {"wanted": _wants.encode(these).decode(), "now": now})


_TERMS: Final = {
    "subscription_id": "subscription_id",
    "plan_version_id": "plan_version_id",
    "anchor": "anchor",
    "period_start": "period_start",
    "period_end": "period_end",
    "allowance_end": "allowance_end",
    "overage_billed": "overage_billed_microcredits",
    "overdue_since": "overdue_since",
    "low_below": "low_below_microcredits",
    "low_since": "low_since",
    "spend_cap": "spend_cap_microcredits",
}
"""What of a balance row seldom changes: fields of an account, and their columns."""

terms_of = attrgetter(*_TERMS)
"""What of an account seldom changes, to be compared."""


def save_statements(
    accounts: Iterable[Account], events: Sequence[EventRow] = (), *, revision: int | None = None
) -> list[Statement]:
    """What to run to write back everything that changed. The only place that inserts ledger entries.

    The first statement writes the balance rows of all changed accounts and answers (their new version, …). It fails,
    and all with it, where a row is not of its account's version any more. With `revision`, for accounts that were not
    locked, it does so also for accounts that have not changed, and where the catalogue's revision is another.
    """
    these = sorted(accounts, key=attrgetter("customer_id"))
    new_grants = [grant for account in these for grant in account.new_grants]
    new_holds = [hold for account in these for hold in account.new_holds]
    new_runs = [run for account in these for run in account.new_runs]
    writes: list[tuple[str, Sequence[Any]]] = [
        (
            "update_terms",
            [
                _terms_row(account)
                for account in these
                if account.dirty and terms_of(account) != account.terms_as_loaded
            ],
        ),
        ("insert_holds", new_holds),
        ("update_holds", _changed(these, "touched_holds", new_holds)),
        ("insert_runs", new_runs),
        ("update_runs", _changed(these, "touched_runs", new_runs)),
        ("put_counters", [account.counters[key] for account in these for key in sorted(account.touched_counters)]),
        ("insert_messages", [message for account in these for message in account.messages]),
        ("insert_grants", [_grant_row(grant) for grant in new_grants]),
        (
            "update_grants",
            [_moved_grant(grant) for grant in _changed(these, "touched", [grant.state for grant in new_grants])],
        ),
        ("insert_ledger", [row for account in these for row in account.ledger]),
    ]
    return [
        *_moves([account for account in these if account.changed or revision is not None], revision),
        *write_statements(events),
        *(write("entitlements", name, rows) for name, rows in writes if rows),
    ]


def _moves(moving: Sequence[Account], revision: int | None) -> list[Statement]:
    if not moving and revision is None:
        return []
    rows = _wants.encode([_balance_row(account) for account in moving]).decode()
    return [
        Statement(
            sql_file("entitlements", "update_balances"), {"rows": rows, "moving": len(moving), "revision": revision}
        )
    ]


def require_new_keys(wanted: Wanted, kept: Mapping[str | int, Account], events: Sequence[EventRow]) -> list[Statement]:
    """What to run before `save_statements` where accounts were not loaded: it fails where a key was used before.

    Not of the keys about to be inserted, which fail by themselves.
    """
    inserted = {event.key_digest for event in events}
    inserted.update(hold.id for account in kept.values() for hold in account.new_holds)
    archived, unused_events, unused_holds = [], [], []
    for name, account in kept.items():
        wants = wanted[name]
        archived += [(account.customer_id, key) for key in wants.events]
        unused_events += [(account.customer_id, key) for key in wants.events - inserted]
        unused_holds += [(account.customer_id, key) for key in wants.new_holds - inserted]
    if not (archived or unused_holds):
        return []
    keys = {"archived": archived, "events": unused_events, "holds": unused_holds}
    return [
        Statement(sql_file("entitlements", "require_new_keys"), {name: _keys(these) for name, these in keys.items()})
    ]


def _keys(these: Sequence[tuple[int, UUID]]) -> str:
    return _wants.encode([{"customer_id": customer_id, "id": key} for customer_id, key in these]).decode()


def _changed(accounts: Sequence[Account], touched: str, new: Sequence[Any]) -> list[Any]:
    """What was touched and is not new: new rows are written as they ended up."""
    fresh = {state.id for state in new}
    return [state for account in accounts for state in getattr(account, touched).values() if state.id not in fresh]


def _grant_row(grant: NewGrant) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(grant)
    state: dict[str, Any] = facts.pop("state")
    return state | facts


def _moved_grant(grant: GrantState) -> dict[str, Any]:
    return {
        "customer_id": grant.customer_id,
        "id": grant.id,
        "remaining_microcredits": grant.remaining,
        "activated_at": grant.activated_at,
        "closed_at": grant.closed_at,
        "voided_at": grant.voided_at,
    }


def _balance_row(account: Account) -> dict[str, Any]:
    return {
        "customer_id": account.customer_id,
        "version": account.version,
        "posted_microcredits": account.posted,
        "held_microcredits": account.held,
        "debt_microcredits": account.debt,
        "overage_microcredits": account.overage,
        "ledger_seq": account.seq,
        "valid_until": account.valid_until,
        "holds_until": account.holds_until,
    }


def _terms_row(account: Account) -> dict[str, Any]:
    return {"customer_id": account.customer_id, **dict(zip(_TERMS.values(), terms_of(account), strict=True))}
