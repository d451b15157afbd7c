"""The rollups against a recount of their events: what differs, and how it is put right."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import msgspec
from django.db import connection, transaction

from kernel.sql_files import sql_file, write
from metering.events import DAY_KEY, MONTH_KEY, SUMS

_FETCH: Final = 2_000


class _Rollup(NamedTuple):
    """A rollup table, its key, and the names of the SQL files that work on it."""

    table: str
    key: tuple[str, ...]
    recount: str
    add: str
    drop_empty: str


_ROLLUPS: Final = (
    _Rollup("usage_day", DAY_KEY, "rebuild_day", "add_to_usage_day", "rebuild_drop_day"),
    _Rollup("usage_month", MONTH_KEY, "rebuild_month", "add_to_usage_month", "rebuild_drop_month"),
)


class Difference(msgspec.Struct, frozen=True):
    """A rollup row that is not what its events add up to. Sums are by `metering.events.SUMS`; None: no such row."""

    table: str
    key: dict[str, Any]
    stored: tuple[int, ...] | None
    recounted: tuple[int, ...] | None

    @property
    def missing(self) -> dict[str, int]:
        """What has to be added to the stored row."""
        nothing = (0,) * len(SUMS)
        sums = zip(SUMS, self.stored or nothing, self.recounted or nothing, strict=True)
        return {name: after - before for name, before, after in sums}

    def __str__(self) -> str:
        where = " ".join(f"{name}={value}" for name, value in self.key.items() if name != "customer_id" and value)
        return f"{self.table} {where}: {self._what()}"

    def _what(self) -> str:
        if self.stored is None:
            return "missing"
        if self.recounted is None:
            return "has no event"
        return ", ".join(
            f"{name} {before} instead of {after}"
            for name, before, after in zip(SUMS, self.stored, self.recounted, strict=True)
            if before != after
        )


def differences(*, customer_id: int | None = None, month: date | None = None) -> Iterator[Difference]:
    """Every row that differs from a recount of live and archived events, days first; of one customer or month if told.

    To be read inside a transaction: rows come from a cursor as they are asked for.
    """
    for rollup in _ROLLUPS:
        with connection.chunked_cursor() as cursor:
            cursor.execute(
                f"SELECT * FROM ({sql_file('metering', rollup.recount)}) r"  # noqa: S608 - our own file
                " WHERE stored IS DISTINCT FROM recounted ORDER BY 1, 2, 3, 4, 5",
                _span(customer_id, month),
            )
            while rows := cursor.fetchmany(_FETCH):
                for *key, stored, recounted in rows:
                    yield Difference(
                        rollup.table, dict(zip(rollup.key, key, strict=True)), _sums(stored), _sums(recounted)
                    )


def repair(customer_id: int, *, month: date | None = None) -> list[Difference]:
    """Make a customer's rollups what their events add up to, in one transaction. Returns what was wrong.

    Takes the balance row's lock, as every writer of events does, so that nothing is counted meanwhile.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql_file("metering", "rebuild_lock"), {"customer_id": customer_id})
        found = list(differences(customer_id=customer_id, month=month))
        for rollup in _ROLLUPS:
            wrong = [difference for difference in found if difference.table == rollup.table]
            if wrong:
                # By the statement that adds new usage: of what was counted too much, it adds less than nothing.
                add = write("metering", rollup.add, [each.key | each.missing for each in wrong])
                cursor.execute(add.sql, add.params)
                cursor.execute(sql_file("metering", rollup.drop_empty), {"customer_id": customer_id})
    return found


def _sums(found: list[int] | None) -> tuple[int, ...] | None:
    return None if found is None else tuple(found)


def _span(customer_id: int | None, month: date | None) -> dict[str, Any]:
    following = month and (month.replace(day=1) + timedelta(days=31)).replace(day=1)
    return {"customer_id": customer_id, "start": month and month.replace(day=1), "end": following}
