"""The rollups of revenue against a recount of the ledgers they were added up from."""

from collections.abc import Iterator
from typing import Final

import msgspec
from django.db import connection

from margins.queries.ledger_sql import REREAD, statement

_FETCH: Final = 2_000


class Difference(msgspec.Struct, frozen=True):
    """A rollup row that is not what its ledger earned. Nano-units; None: no such row."""

    customer_id: int
    rollup: str
    place: str
    stored: int | None
    recounted: int | None
    restated: tuple[int, int] | None = None
    """What is stored and what was recounted as recorded after the day, where only that differs."""

    def __str__(self) -> str:
        where = f"{self.rollup} {self.place}"
        if self.restated is not None:
            return f"{where}: restated by {self.restated[0]} instead of {self.restated[1]}"
        if self.stored is None:
            return f"{where}: missing, should be {self.recounted}"
        return f"{where}: {self.stored} instead of {'nothing' if self.recounted is None else self.recounted}"


def recount_sql() -> str:
    """Every rollup row beside its recount; takes `customers`, an array or null."""
    return statement(REREAD, "recounted_revenue")


DIFFERS: Final = """
    (stored, stored_restated) IS DISTINCT FROM (recounted, recounted_restated)
    -- Entries that cancel each other out leave a row of nothing, which is nothing.
    AND NOT (coalesce(stored, 0) = 0 AND coalesce(recounted, 0) = 0
             AND coalesce(stored_restated, 0) = coalesce(recounted_restated, 0))"""


def differences(customer_id: int | None = None) -> Iterator[Difference]:
    """Every rollup row that differs from a recount of everything added up so far, of one customer or of all.

    To be read inside a transaction: rows come from a cursor as they are asked for.
    """
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id, rollup, place, stored, recounted, stored_restated, recounted_restated"  # noqa: S608
            f" FROM ({recount_sql()}) r WHERE {DIFFERS} ORDER BY 1, 2, 3",
            {"customers": None if customer_id is None else [customer_id]},
        )
        while rows := cursor.fetchmany(_FETCH):
            for customer, rollup, place, stored, recounted, was, should_be in rows:
                restated = (int(was), int(should_be)) if stored == recounted else None
                yield Difference(customer, rollup, place, _whole(stored), _whole(recounted), restated)


def _whole(amount: object) -> int | None:
    return None if amount is None else int(str(amount))
