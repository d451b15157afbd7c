"""SQL lives in files beside the code that runs it: ``<app>/sql/<name>.sql``."""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent


@cache
def sql_file(app: str, name: str) -> str:
    """The text of ``<app>/sql/<name>.sql``. Raises FileNotFoundError."""
    return (ROOT / app / "sql" / f"{name}.sql").read_text()


class Statement(NamedTuple):
    """A statement and its parameters, to be run by whoever holds the connection, blocking or not."""

    sql: str
    params: dict[str, Any]
