"""A ledger replayed entry by entry is the account, and tells what could not have been."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from entitlements.audit.rebuilding import Rebuilt, Stored, differences, rebuild
from entitlements.core.account import LedgerRow
from entitlements.core.words import Bucket, EntryKind

NOW = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
A, B = UUID(int=1), UUID(int=2)
BUCKETS = {EntryKind.DEBT: Bucket.DEBT, EntryKind.DEBT_PAID: Bucket.DEBT, EntryKind.OVERAGE: Bucket.OVERAGE}


def entry(seq: int, kind: EntryKind, amount: int, grant: UUID | None = None) -> LedgerRow:
    return LedgerRow(7, seq, NOW, NOW, kind, BUCKETS.get(kind, Bucket.POSTED), amount, grant, None)


def test_a_ledger_replays_to_its_balance_and_grants() -> None:
    rebuilt = rebuild(
        [
            entry(1, EntryKind.GRANT, 10, A),
            entry(2, EntryKind.BURN, -10, A),
            entry(3, EntryKind.DEBT, -4),
            entry(4, EntryKind.GRANT, 6, B),
            entry(5, EntryKind.BURN, -4, B),
            entry(6, EntryKind.DEBT_PAID, 4),
            entry(7, EntryKind.OVERAGE, -1),
        ]
    )
    assert rebuilt == Rebuilt(posted=2, debt=0, overage=1, seq=7, remaining={A: 0, B: 2})
    assert list(differences(rebuilt, Stored(2, 0, 1, 7, {A: 0, B: 2}))) == []
    assert list(differences(rebuilt, Stored(3, 0, 1, 7, {A: 0, B: 1}))) == [
        "posted is 3, rebuilt 2",
        f"grant {B} has 1 left, rebuilt 2",
    ]


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ([entry(2, EntryKind.GRANT, 1, A)], "entry 2 comes where 1 should"),
        ([entry(1, EntryKind.BURN, -1, A)], "entry 1 takes a part of the balance below zero"),
        ([entry(1, EntryKind.GRANT, 5, A), entry(2, EntryKind.BURN, -1, B)], f"more from grant {B} than it has"),
        ([entry(1, EntryKind.GRANT, 5)], "entry 1 names no grant"),
    ],
)
def test_a_replay_accepts_no_impossible_entry(entries: list[LedgerRow], fault: str) -> None:
    assert any(fault in said for said in rebuild(entries).faults)
