"""What must hold after everything that can happen to an account."""

from datetime import datetime
from typing import Any

from entitlements.core.account import Account, LedgerRow
from entitlements.core.words import Bucket
from entitlements.gate.answers import HOLD_STATUS
from tests.properties.account_steps import balance_of, plain_run_now, run_now
from tests.properties.plain_model import PlainAccount


def it_is_what_the_model_says(account: Account, plain: PlainAccount) -> None:
    """An account brought up to date, with all there is of it."""
    assert balance_of(account) == plain.balance()
    left = {grant.id: grant.remaining for grant in account.grants if grant.remaining and not _given_up(grant)}
    assert left == {grant.id: grant.left for grant in plain.grants if grant.left}
    holds = {hold.id: (HOLD_STATUS[hold.status], hold.held, hold.settled) for hold in account.holds.values()}
    assert holds == {hold.id: (hold.status, hold.held, hold.settled) for hold in plain.holds}
    runs = {run.id: run_now(run) for run in account.runs.values()}
    assert runs == {run.id: plain_run_now(plain, run) for run in plain.runs}
    assert (account.period_start, account.period_end) == (plain.period or (None, None))
    assert account.allowance_end == plain.next_allowance


def its_counters_are_what_the_model_counts(account: Account, plain: PlainAccount) -> None:
    for limit in plain.plan.limits if plain.plan else ():
        for scope in {scope for scope, key in account.counters.keys() | plain.counters.keys() if key == limit.key}:
            counter, counted = account.counters.get((scope, limit.key)), plain.counters.get((scope, limit.key))
            current = plain.window(limit.window, plain.now)
            used = counter.used if counter and _window(limit.window, counter.window_start, plain) == current else 0
            assert used == (counted.used if counted and counted.window == current else 0), (scope, limit.key)
    for (scope, key), counter in account.counters.items():
        assert counter.held == plain.held_by_counter(scope, key), (scope, key)
    assert {(scope, key) for hold in plain.holds for scope, key, _ in hold.claims} <= account.counters.keys()


def nothing_is_due_before_it_is_looked_for(valid_until: datetime | None, plain: PlainAccount) -> None:
    """A stored row may be trusted until `valid_until`, so that must never come after something that is due."""
    due = plain.next_instant()
    if due is not None:
        assert valid_until is not None, f"nothing is looked for although something is due at {due}"
        assert valid_until <= due


def its_parts_are_covered(account: Account) -> None:
    assert min(account.posted, account.held, account.debt, account.overage) >= 0
    assert account.held <= account.posted
    assert account.held == sum(hold.held for hold in account.holds.values() if hold.closed_at is None)
    assert account.posted == sum(grant.remaining for grant in account.grants if grant.activated_at)
    if account.free:
        assert account.debt == account.overage == 0, "something is free, and something is owed"
    assert all(hold.held == 0 and not hold.claims for hold in account.holds.values() if hold.closed_at is not None)
    assert all(counter.held >= 0 and counter.used >= 0 for counter in account.counters.values())


def its_ledger_explains_it(account: Account, ledger: list[LedgerRow], plain: PlainAccount) -> None:
    assert [row.seq for row in ledger] == list(range(1, account.seq + 1))
    assert all(row.amount_microcredits for row in ledger)
    recorded = [row.recorded_at for row in ledger]
    assert recorded == sorted(recorded), "an entry says that it was written before the one before it"
    assert all(row.effective_at <= row.recorded_at for row in ledger)
    buckets = {Bucket.POSTED: account.posted, Bucket.DEBT: -account.debt, Bucket.OVERAGE: -account.overage}
    for bucket, balance in buckets.items():
        assert sum(row.amount_microcredits for row in ledger if row.bucket == bucket) == balance
    grants = _sums((row.grant_id, row.amount_microcredits) for row in ledger if row.bucket == Bucket.POSTED)
    assert grants == {grant.id: grant.remaining for grant in account.grants if grant.activated_at}
    events = _sums((row.event_digest, -row.amount_microcredits) for row in ledger if row.event_digest)
    assert events == {key: credits for key, (_, credits, _) in plain.events.items() if credits}


def late_is_as_good_as_often(late: Account, often: Account) -> None:
    """Brought up to date at once, and by and by: only when the entries were written may differ."""
    assert _ended(late) == _ended(often)


def _ended(account: Account) -> Any:
    ledger = [(row.seq, row.effective_at, row.kind, row.bucket, row.amount_microcredits) for row in account.ledger]
    grants = sorted((grant.id, grant.remaining, grant.activated_at) for grant in account.grants)
    dates = account.valid_until, account.period_end, account.allowance_end
    return balance_of(account), ledger, grants, dates, account.counters, run_held(account)


def run_held(account: Account) -> Any:
    return {run.id: run_now(run) for run in account.runs.values()}


def _given_up(grant: Any) -> bool:
    """Voided before it ever counted."""
    return grant.closed_at is not None and grant.activated_at is None


def _window(kind: str, start: datetime, plain: PlainAccount) -> object:
    return start if kind == "period" else plain.window(kind, start)


def _sums(pieces: Any) -> dict[Any, int]:
    sums: dict[Any, int] = {}
    for key, amount in pieces:
        sums[key] = sums.get(key, 0) + amount
    return sums
