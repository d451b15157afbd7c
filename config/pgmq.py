"""The queue's tables and functions in the application's own database.

pgmq ships as a PostgreSQL extension and, in its Python package, as plain SQL. The plain SQL needs no superuser and no
files on the server, so it works on the embedded PostgreSQL and on a managed one. It cannot be run twice, hence the
guard. `python -m config.pgmq` installs it if the broker is pgmq, and does nothing if it is another.
"""

import logging

import psycopg
from pgmq.install import get_embedded_install_sql, get_embedded_sql_version

log = logging.getLogger(__name__)

_ONE_INSTALLER_AT_A_TIME = 0x70676D71  # "pgmq" in ASCII; the key of an advisory lock


def install(database_url: str) -> bool:
    """Create the schema `pgmq` unless it is there, as an extension or by itself; whether it was created now.

    Safe to call from many processes at once: one installs, in one transaction, and the others wait and find it.
    """
    with psycopg.connect(database_url) as database:
        database.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_INSTALLER_AT_A_TIME])
        if database.execute("SELECT to_regclass('pgmq.meta')").fetchone() != (None,):
            return False
        database.execute(get_embedded_install_sql().encode())
        log.info("installed pgmq %s", get_embedded_sql_version())
        return True


def main() -> None:
    """Install for the broker the settings name."""
    from django.conf import settings

    if settings.CELERY_BROKER_URL.startswith("pgmq://"):
        install(settings.CELERY_BROKER_URL.replace("pgmq://", "postgresql://", 1))


if __name__ == "__main__":
    import os

    from config import embedded_postgres

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    embedded_postgres.database_url()
    main()
