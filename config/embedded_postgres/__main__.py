"""`python -m config.embedded_postgres status | url | psql [ARGUMENTS] | stop`: look at, enter or stop the server."""

import os
import subprocess
import sys
from pathlib import Path

from config.embedded_postgres import PostgresCannotStart, data_dir, database_url
from config.embedded_postgres.attach import current_url, stop
from config.embedded_postgres.cluster import find_programs
from config.embedded_postgres.folder import Folder
from config.embedded_postgres.keeper import keep


def main(arguments: list[str]) -> int:
    root = data_dir() / "postgres"
    match arguments:
        case ["status"]:
            url = current_url(root)
            print(f"running, in {root}" if url else f"not running, in {root}")
            return 0 if url else 3
        case ["url"]:
            url = current_url(root)
            print(url or "not running", file=sys.stdout if url else sys.stderr)
            return 0 if url else 3
        case ["psql", *rest]:
            return subprocess.run([find_programs() / "psql", database_url(), *rest], check=False).returncode
        case ["stop"]:
            print("stopped" if stop(root) else "it was not running")
            return 0
        case ["keep", folder, lock, report]:  # for the launcher itself
            return keep(Folder(Path(folder)), int(lock), int(report))
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except PostgresCannotStart as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(os.EX_TEMPFAIL)
