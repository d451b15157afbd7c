"""`make run`: database, demo data, web, worker and beat, started together and ended together.

PORT (8000) and DATA_DIR (.data) are honoured; DATABASE_URL and CELERY_BROKER_URL replace the embedded defaults;
WEIR_DEMO=0 starts without the demo company.
With --with-parent it also ends when the process that started it does, of anything.
"""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from config import embedded_postgres, roles
from config.embedded_postgres import PostgresCannotStart, linux
from config.health import is_healthy
from config.supervisor import Ended, Household, reap_orphans

HOST = "127.0.0.1"
PATIENCE_SECONDS = 15.0
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _ToldToStop(Exception):
    """Ctrl-C, or another of the signals that end us in good order."""


def main(arguments: list[str]) -> int:
    """Run until told to stop (0) or until something fails (1, with a message)."""
    household = Household()
    for sign in _STOPPING:
        signal.signal(sign, _raise_told_to_stop)
    if "--with-parent" in arguments:
        linux.die_with_parent(os.getppid(), signal.SIGTERM)
    embedded = not os.environ.get("DATABASE_URL")
    postgres = embedded_postgres.data_dir() / "postgres"
    try:
        port = _free_port()
        os.environ["HOST"] = HOST  # a first run on a bare machine is for that machine only
        url = embedded_postgres.database_url()
        _serve(household, port, check_database=(lambda: _check_database(postgres, url)) if embedded else (lambda: None))
    except _ToldToStop:
        print("\nstopping", flush=True)
        return 0
    except (Ended, PostgresCannotStart, _CannotServe) as problem:
        print(f"\n{problem}\nstopping", file=sys.stderr, flush=True)
        return 1
    finally:
        for sign in _STOPPING:
            signal.signal(sign, signal.SIG_IGN)
        household.stop(patience_seconds=PATIENCE_SECONDS)
        embedded_postgres.leave(postgres)
        reap_orphans()


class _CannotServe(Exception):
    """Why there is no service, for the reader of the terminal."""


def _serve(household: Household, port: int, *, check_database: Callable[[], None]) -> NoReturn:
    """Prepare, start everything, announce it, and watch. Only an exception ends it."""
    household.run("preparing the database", roles.command("migrate"))
    for role in ("web", "worker", "beat"):
        household.start(role, roles.command(role))
    while not is_healthy(port):
        household.check()
        time.sleep(0.1)
    _announce(port)
    while True:
        household.check()
        check_database()
        time.sleep(0.5)


def _free_port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise _CannotServe(f"PORT must be a number from 1 to 65535, and it is {text!r}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(text)))
        except OSError as problem:
            raise _CannotServe(
                f"Port {text} cannot be used ({problem.strerror}): stop the other program, or choose another port, "
                "for example `PORT=8080 make run`."
            ) from None
    return int(text)


def _check_database(postgres: Path, url: str) -> None:
    """Bring the embedded server back if its keeper was killed; an error if it can only come back elsewhere."""
    if embedded_postgres.ensure_running(postgres) != url:
        raise _CannotServe("PostgreSQL was killed and its port taken by another program. Start again.")


def _announce(port: int) -> None:
    """Say where it is and how to get in, each fact alone on its line, then the lines to paste."""
    base_url = f"http://{HOST}:{port}"
    lines = [f"ready: {base_url}"]
    data = embedded_postgres.data_dir()
    credentials, welcome = data / "demo-credentials.json", data / "welcome.txt"
    if credentials.exists():
        demo = json.loads(credentials.read_text())
        lines += [f"api key: {demo['api_key']}", f"staff: {demo['staff_user']} {demo['staff_password']}"]
    if welcome.exists():
        lines += ["", welcome.read_text().replace("{base_url}", base_url).rstrip()]
    print("\n".join(lines), flush=True)


def _raise_told_to_stop(*_: object) -> None:
    for sign in _STOPPING:  # once is enough: what follows is the way out
        signal.signal(sign, signal.SIG_IGN)
    raise _ToldToStop


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
