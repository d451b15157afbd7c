"""What re-ratings moved, by customer, model and day."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from django.db import connection

from kernel.sql_files import sql_file
from metering.customers import keys_of

MOST: Final = 200
"""Lines of one cut that are shown, those that moved most."""

_COLUMNS: Final[Mapping[str, str]] = {
    "customer": "customer_id",
    "model": "model",
    "day": "(occurred_at AT TIME ZONE 'UTC')::date",
}
CUTS: Final = tuple(_COLUMNS)


class MovedLine(NamedTuple):
    """Calls of one customer, model or day that were moved, and by how much."""

    name: str
    calls: int
    priced_calls: int
    delta_nanousd: int


def moved_by(rerating_id: int, cut: str) -> Sequence[MovedLine]:
    """The lines of a cut, those that moved most first. `cut` is one of CUTS."""
    statement = sql_file("metering", "rerating_cut").format(column=_COLUMNS[cut])
    with connection.cursor() as cursor:
        cursor.execute(statement, {"rerating_id": rerating_id, "most": MOST})
        rows = cursor.fetchall()
    keys = keys_of(row[0] for row in rows) if cut == "customer" else {}
    return [MovedLine(keys.get(name, str(name)), *figures) for name, *figures in rows]
