"""Rebuilding accounts from nothing but their ledger entries, and comparing to the microcredit.

The checks prove the same with sums over tables; this replays the entries one by one, in their order,
in code that shares nothing with what wrote them.
"""

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

import msgspec
from django.db import connection

from entitlements.core.account import LedgerRow
from entitlements.core.words import Bucket
from entitlements.models import Balance, CreditGrant
from kernel.sql_files import sql_file

_FETCH = 5_000


class Rebuilt(msgspec.Struct):
    """An account as its entries tell it. Microcredits; `remaining` by grant; `faults` are what no replay can accept."""

    posted: int = 0
    debt: int = 0
    overage: int = 0
    seq: int = 0
    remaining: dict[UUID, int] = {}
    faults: list[str] = []


class Stored(msgspec.Struct, frozen=True):
    """An account as it is stored; `remaining` of every grant that has been active."""

    posted: int
    debt: int
    overage: int
    seq: int
    remaining: Mapping[UUID, int]


def rebuild(entries: Iterable[LedgerRow]) -> Rebuilt:
    """Replay entries in their order."""
    account = Rebuilt()
    for entry in entries:
        account.seq += 1
        if entry.seq != account.seq:
            account.faults.append(f"entry {entry.seq} comes where {account.seq} should")
            account.seq = entry.seq
        if entry.bucket == Bucket.POSTED:
            _move_grant(account, entry)
        elif entry.bucket == Bucket.DEBT:
            account.debt -= entry.amount_microcredits
        else:
            account.overage -= entry.amount_microcredits
        if min(account.posted, account.debt, account.overage) < 0:
            account.faults.append(f"entry {entry.seq} takes a part of the balance below zero")
    return account


def _move_grant(account: Rebuilt, entry: LedgerRow) -> None:
    account.posted += entry.amount_microcredits
    if entry.grant_id is None:
        account.faults.append(f"entry {entry.seq} names no grant")
        return
    left = account.remaining.get(entry.grant_id, 0) + entry.amount_microcredits
    account.remaining[entry.grant_id] = left
    if left < 0:
        account.faults.append(f"entry {entry.seq} takes more from grant {entry.grant_id} than it has")


def differences(rebuilt: Rebuilt, stored: Stored) -> Iterator[str]:
    """Where the replay and what is stored part, in words."""
    yield from rebuilt.faults
    for part in ("posted", "debt", "overage", "seq"):
        if getattr(rebuilt, part) != getattr(stored, part):
            yield f"{part} is {getattr(stored, part)}, rebuilt {getattr(rebuilt, part)}"
    for grant in sorted(rebuilt.remaining.keys() | stored.remaining.keys()):
        ours, theirs = rebuilt.remaining.get(grant), stored.remaining.get(grant)
        if ours != theirs:
            yield f"grant {grant} has {theirs} left, rebuilt {ours}"


def rebuild_stored(customer_id: int) -> tuple[Rebuilt, list[str]]:
    """Replay a customer's stored ledger. Returns the account and where it differs from what is stored.

    Read inside a snapshot, or the ledger may have grown between its entries and its balance.
    """
    rebuilt = rebuild(_entries(customer_id))
    return rebuilt, list(differences(rebuilt, _stored(customer_id)))


def _entries(customer_id: int) -> Iterator[LedgerRow]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql_file("entitlements/audit", "ledger_of_customer"), {"customer_id": customer_id})
        while rows := cursor.fetchmany(_FETCH):
            for row in rows:
                yield LedgerRow(*row)


def _stored(customer_id: int) -> Stored:
    active = CreditGrant.objects.filter(customer_id=customer_id, activated_at__isnull=False)
    remaining = dict(active.values_list("id", "remaining_microcredits"))
    balance = Balance.objects.filter(customer_id=customer_id).first() or Balance(customer_id=customer_id)
    return Stored(
        balance.posted_microcredits,
        balance.debt_microcredits,
        balance.overage_microcredits,
        balance.ledger_seq,
        remaining,
    )
