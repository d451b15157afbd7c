"""Adding up what ledgers have earned, each entry once, and putting right what was added up wrongly."""

from collections.abc import Sequence
from typing import Final

from django.db import connection, transaction

from kernel.sql_files import sql_file
from margins.models import RevenueDay, RevenueMark, RevenueMonth
from margins.queries.ledger_sql import UNREAD, statement
from margins.queries.recount import Difference, differences

_BATCH: Final = 200
"""Customers in one transaction: long ledgers are read for the first time in seconds, not minutes, of locks."""


def add_revenue(customer_ids: Sequence[int] | None = None) -> int:
    """Add up what the ledgers have earned since they were last read: everyone's, or these customers'.

    Returns how many ledgers had grown. Locks the customers' marks, never a balance, so no call waits for it. Reports
    count what is not added up yet themselves: this only keeps that little.
    """
    behind = _behind(customer_ids)
    for start in range(0, len(behind), _BATCH):
        _add(behind[start : start + _BATCH])
    return len(behind)


def rebuild_revenue(customer_id: int) -> list[Difference]:
    """Add a customer's ledger up anew from its first entry. Returns what was wrong."""
    with transaction.atomic():
        _lock([customer_id])
        found = list(differences(customer_id))
        if found:
            RevenueDay.objects.filter(customer_id=customer_id).delete()
            RevenueMonth.objects.filter(customer_id=customer_id).delete()
            RevenueMark.objects.filter(customer_id=customer_id).update(seq=0)
            _add([customer_id])
    return found


def _behind(customer_ids: Sequence[int] | None) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql_file("margins", "ledgers_behind"), {"customers": _array(customer_ids)})
        return [customer_id for (customer_id,) in cursor.fetchall()]


def _add(customer_ids: Sequence[int]) -> None:
    with transaction.atomic():
        _lock(customer_ids)
        with connection.cursor() as cursor:
            cursor.execute(statement(UNREAD, "add_revenue"), {"customers": _array(customer_ids)})


def _lock(customer_ids: Sequence[int]) -> None:
    these = {"customers": _array(customer_ids)}
    with connection.cursor() as cursor:
        cursor.execute(sql_file("margins", "start_marks"), these)
        cursor.execute(sql_file("margins", "lock_marks"), these)


def _array(customer_ids: Sequence[int] | None) -> list[int] | None:
    return None if customer_ids is None else list(customer_ids)
