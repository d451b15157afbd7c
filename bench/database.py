"""Databases of the bench's own, beside the service's on the same server: made, reused when they still fit, dropped."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from config import embedded_postgres
from kernel.sql_files import ROOT

SLOW_TO_MAKE = 500_000
"""Customers. From here on a database that was made before is used again."""


def prepare(name: str, customers: int, *, fresh: bool) -> tuple[str, str]:
    """The URL of a database with this many customers, and an API key for it."""
    server = embedded_postgres.database_url()
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    mark = f"{customers} {_fingerprint()}"
    with psycopg.connect(server, autocommit=True) as connection:
        if fresh or customers < SLOW_TO_MAKE or _mark(connection, name) != mark:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        token = _populated(url, customers)
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(mark)))
    return url, token


def kept(name: str, module: str, arguments: Sequence[object], *, fresh: bool) -> str:
    """The URL of a database that `python -m module arguments` has filled; one that still fits is used again."""
    server = embedded_postgres.database_url()
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    mark = f"{module} {' '.join(map(str, arguments))} {_fingerprint()}"
    with psycopg.connect(server, autocommit=True) as connection:
        if not fresh and _mark(connection, name) == mark:
            return url
        drop(name)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url, "LOG_LEVEL": "WARNING"},
            check=True,
        )
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(mark)))
    return url


def drop(name: str) -> None:
    """Remove a database of the bench, if it is there."""
    with psycopg.connect(embedded_postgres.database_url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _mark(connection: "psycopg.Connection[tuple[str | None]]", name: str) -> str | None:
    found = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
    ).fetchone()
    return found[0] if found else None


def _populated(url: str, customers: int) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench.population", str(customers)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "LOG_LEVEL": "WARNING"},
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _fingerprint() -> str:
    """Of everything that decides what a new database looks like: a database of another one is not used again."""
    files = [*ROOT.glob("*/migrations/*.py"), *ROOT.glob("*/sql/*.sql"), *(ROOT / "bench").glob("*.yaml")]
    files += [ROOT / "bench" / name for name in ("population.py", "margin_population.py")]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
