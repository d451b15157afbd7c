"""`make run`: database, demo data, web, worker and beat, started together and ended together.

PORT (8000) and DATA_DIR (.data) are honoured; DATABASE_URL and CELERY_BROKER_URL replace the embedded defaults;
WEIR_DEMO=0 starts without the demo company. Without STRIPE_SECRET_KEY a sandbox stands in for Stripe.
With --with-parent it also ends when the process that started it does, of anything.
"""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

from config import embedded_postgres, roles, stripe_sandbox
from config.embedded_postgres import PostgresCannotStart, linux
from config.health import is_healthy
from config.supervisor import ENDING, Ended, Household, reap_orphans

HOST = "127.0.0.1"
PATIENCE_SECONDS = 15.0


class _ToldToStop(Exception):
    """Ctrl-C, or another of the signals that end us in good order."""


class _CannotServe(Exception):
    """Why there is no service, for the reader of the terminal."""


class _Ending:
    """Remembers that a signal came, besides raising: Python drops what is raised while it runs a callback."""

    def __init__(self) -> None:
        self.asked = False
        for sign in ENDING:
            signal.signal(sign, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True
        raise _ToldToStop

    def check(self) -> None:
        """Raises _ToldToStop if a signal came."""
        if self.asked:
            raise _ToldToStop

    def ignore(self) -> None:
        """From here on there is only the way out."""
        for sign in ENDING:
            signal.signal(sign, signal.SIG_IGN)


def main(arguments: list[str]) -> int:
    """Run until told to stop (0) or until something fails (1, with a message)."""
    household = Household()
    ending = _Ending()
    postgres = embedded_postgres.data_dir() / "postgres"
    try:
        if "--with-parent" in arguments:
            linux.die_with_parent(os.getppid(), signal.SIGTERM)
        port = _free_port()
        os.environ["HOST"] = HOST  # a first run on a bare machine is for that machine only
        embedded = not os.environ.get("DATABASE_URL")
        url = embedded_postgres.database_url()
        sandbox = stripe_sandbox.point_at_it(embedded_postgres.data_dir(), port)
        _start(household, port, ending, sandbox=sandbox is not None)
        _announce(port, sandbox)
        while True:
            ending.check()
            household.check()
            if embedded:
                _check_database(postgres, url)
            time.sleep(0.5)
    except _ToldToStop:
        print("\nstopping", flush=True)
        return 0
    except (Ended, PostgresCannotStart, _CannotServe) as problem:
        print(f"\n{problem}\nstopping", file=sys.stderr, flush=True)
        return 1
    finally:
        ending.ignore()
        household.stop(patience_seconds=PATIENCE_SECONDS)
        embedded_postgres.leave(postgres)
        reap_orphans()


def _start(household: Household, port: int, ending: _Ending, *, sandbox: bool) -> None:
    """Prepare the database, start every role, and return when the web process serves."""
    household.run("preparing the database", roles.command("migrate"))
    if sandbox:
        household.start("the Stripe sandbox", roles.command("sandbox"), silent=True)
    for role in ("web", "worker", "beat"):
        ending.check()
        household.start(role, roles.command(role))
    while not is_healthy(port):
        ending.check()
        household.check()
        time.sleep(0.1)


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


def _announce(port: int, sandbox: str | None) -> None:
    """Say where it is and how to get in, each fact alone on its line, then the lines to paste."""
    base_url = f"http://{HOST}:{port}"
    lines = [f"ready: {base_url}"]
    data = embedded_postgres.data_dir()
    credentials, welcome = data / "demo-credentials.json", data / "welcome.txt"
    if credentials.exists():
        demo = json.loads(credentials.read_text())
        lines += [f"api key: {demo['api_key']}", f"staff: {demo['staff_user']} {demo['staff_password']}"]
    if sandbox is not None:
        lines.append(f"payments: SANDBOX, no real money moves: {sandbox} (STRIPE_SECRET_KEY is not set)")
    if welcome.exists():
        lines += ["", welcome.read_text().replace("{base_url}", base_url).rstrip()]
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
