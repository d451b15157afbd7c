"""Where a soak happens: a database server of its own, two web processes on it, and ways to kill any of them."""

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from config.embedded_postgres import ensure_running, leave
from config.embedded_postgres.attach import current_url
from config.embedded_postgres.cluster import running_processes
from config.embedded_postgres.folder import Folder
from kernel.units import MICROCREDITS_PER_CREDIT
from tests.concurrency.stories import NEEDED, STORIES
from tests.concurrency.web import WebProcess

CUSTOMERS = {
    f"{plan}-{number}": plan
    for plan, count in (("limited", 8), ("metered", 8), ("granted", 8))
    for number in range(count)
}
"""The cast: each customer's key and the plan it starts on."""

SERVER_LIVES_SECONDS = 6.0
"""A server that ends soon after its start, again and again, is given up by its keeper: it is left to live so long."""
TRIES = 3


class Place:
    """A folder with everything in it, gone afterwards."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="weir-soak-"))
        self.root.chmod(0o711)  # the database server may run as another user
        self._postgres = self.root / "postgres"
        self.journals = [self.root / name for name in ("calls.jsonl", "services.jsonl")]
        self.webs: list[WebProcess] = []
        self.key = ""

    def set_up(self) -> None:
        """Start the server, make the database, put the cast on stage and start the web processes."""
        os.environ |= {"DATA_DIR": str(self.root), "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "ERROR"}
        os.environ["DATABASE_URL"] = url = ensure_running(self._postgres)
        import django

        django.setup()
        self.key = _make_database()
        self.webs = [WebProcess(url, self.root / f"web-{number}.log") for number in range(2)]
        for web in self.webs:
            web.start()
        self.await_webs()

    @property
    def ports(self) -> list[int]:
        """Where the web processes answer."""
        return [web.port for web in self.webs]

    def await_webs(self) -> None:
        """Return when all web processes answer. One that ended by itself (its port was taken) is started again."""
        for web in self.webs:
            for left in reversed(range(TRIES)):
                try:
                    web.wait()
                    break
                except RuntimeError:
                    if not left:
                        raise
                    web.kill()
                    web.start()

    def tear_down(self, *, keep: bool) -> None:
        """End everything; with `keep`, leave the files to be looked at."""
        from django.db import connections

        with ExitStack() as last:  # in reverse, each whatever becomes of the others
            if not keep:
                last.callback(shutil.rmtree, self.root, ignore_errors=True)
            last.callback(leave, self._postgres)
            for web in self.webs:
                last.callback(web.kill)
            last.callback(connections.close_all)

    def players(self, rounds: int) -> Iterator[tuple[str, str]]:
        """Customers with what each story of tests/concurrency needs, so many for each."""
        from entitlements.services.customers import upsert_customer
        from entitlements.services.grants import GrantRequest, add_grant
        from entitlements.services.subscriptions import subscribe
        from kernel.clock import utc_now
        from plans.models import PlanVersion

        plan = PlanVersion.objects.get(plan__key="granted")
        for number in range(rounds):
            for story in STORIES:
                customer, now = f"{story}-player-{number}", utc_now()
                upsert_customer(customer, {"name": customer}, now)
                subscribe(customer, plan, now)
                credits = NEEDED.get(story, 100) * MICROCREDITS_PER_CREDIT
                add_grant(customer, GrantRequest(key="stake", microcredits=credits, source="promo"), now)
                yield story, customer

    # Deaths; each answers whether there was anything to be killed.

    def kill_webs(self, *webs: WebProcess) -> bool:
        """kill -9 web processes, and start others in their places."""
        for web in webs:
            web.kill()
        for web in webs:
            web.start()
        return True

    def kill_server(self) -> bool:
        """kill -9 the postmaster. Its keeper starts another, which recovers."""
        if current_url(self._postgres) is None:
            return False
        process, _, started = (self._postgres / "cluster" / "postmaster.pid").read_text().splitlines()[:3]
        if time.time() - int(started) < SERVER_LIVES_SECONDS:
            return False
        os.kill(int(process), signal.SIGKILL)
        return True

    def kill_session(self, dice: random.Random) -> bool:
        """kill -9 one of the sessions. The server then ends all the others, and recovers."""
        sessions = [pid for pid in running_processes(Folder(self._postgres)) if b": weir weir " in _command(pid)]
        if not sessions:
            return False
        with suppress(ProcessLookupError):
            os.kill(dice.choice(sorted(sessions)), signal.SIGKILL)
        return True


def await_that(something: Callable[[], bool], patience_seconds: float) -> None:
    """Return when it is so. Raises RuntimeError when it is not in time."""
    deadline = time.monotonic() + patience_seconds
    while not something():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not so after {patience_seconds:.0f} s")
        time.sleep(0.05)


def _make_database() -> str:
    """Migrate, sell, create the cast; an API key for all of it."""
    from django.core.management import call_command

    from access.services.api_keys import create_key
    from entitlements.services.customers import upsert_customer
    from entitlements.services.subscriptions import subscribe
    from kernel.clock import utc_now
    from plans.catalogue_file.applying import apply_catalogue
    from plans.models import PlanVersion

    call_command("migrate", verbosity=0)
    now = utc_now()
    apply_catalogue((Path(__file__).parent / "catalogue.yaml").read_text(), publish=True, now=now)
    for customer, plan in CUSTOMERS.items():
        upsert_customer(customer, {"name": customer}, now)
        subscribe(customer, PlanVersion.objects.get(plan__key=plan), now)
    return create_key("soak", ["check", "usage"], now)[1]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
