#!/usr/bin/env python
"""Django's command line, on the database the environment names or the embedded one."""

import os
import sys

from config import embedded_postgres


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        embedded_postgres.database_url()
    except embedded_postgres.PostgresCannotStart as problem:
        sys.exit(str(problem))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
