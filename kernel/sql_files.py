"""SQL lives in files beside the code that runs it: ``<app>/sql/<name>.sql``."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

ROOT = Path(__file__).resolve().parent.parent


@cache
def sql_file(app: str, name: str) -> str:
    """The text of ``<app>/sql/<name>.sql``. Raises FileNotFoundError."""
    return (ROOT / app / "sql" / f"{name}.sql").read_text()


_encoder = msgspec.json.Encoder()


class Statement(NamedTuple):
    """A statement and its parameters, to be run by whoever holds the connection, blocking or not."""

    sql: str
    params: dict[str, Any]


class Database(Protocol):
    """Whatever runs a statement without blocking."""

    async def ask(self, statement: Statement) -> Sequence[tuple[Any, ...]]:
        """The rows of one statement. Raises psycopg.Error."""
        ...


def write(app: str, name: str, rows: Sequence[Any]) -> Statement:
    """A statement that writes `rows`, handed over as one JSON array whose members are named like the columns.

    One parameter instead of an array per column: encoding rows is a call into C, while adapting thirty Python
    lists cost more than everything else a batch did together (ADR 9).
    """
    return Statement(sql_file(app, name), {"rows": _encoder.encode(rows).decode()})
