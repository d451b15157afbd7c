"""The queue on PostgreSQL: installed once, quick to wake, quiet when idle, and back after the server was away."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from config import embedded_postgres, pgmq
from config.queue import DEFAULTS, defaults_for
from tests.config.embedded_postgres.users import HOUSE, eventually, kill_server

FOLDER = "postgres"
_APP = "tests.config.queue_story"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("queue")
    yield place
    embedded_postgres.leave(place / FOLDER)


@pytest.fixture
def url(house: Path) -> str:
    return embedded_postgres.ensure_running(house / FOLDER)


class Worker:
    """A worker of the queue, run as the service runs it, whose one task notes down what it was given."""

    def __init__(self, url: str, notes: Path) -> None:
        self.notes = notes
        self.environment = os.environ | {"QUEUE_STORY_DATABASE": url, "QUEUE_STORY_NOTES": str(notes)}
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)  # this story is the queue's alone
        self.process = self._python("-m", "celery", "-A", _APP, "worker", "--pool", "threads", "--concurrency", "2")

    def send(self, note: str) -> None:
        """Send the task from a process of its own, as the web process would."""
        assert self._python("-c", f"from {_APP} import take_note; take_note.delay({note!r})").wait() == 0

    def has_noted(self, note: str) -> bool:
        return self.notes.exists() and note in self.notes.read_text().split()

    def _python(self, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, *arguments], cwd=HOUSE, env=self.environment)


@pytest.fixture
def worker(url: str, tmp_path: Path) -> Iterator[Worker]:
    pgmq.install(url)
    worker = Worker(url, tmp_path / "notes")
    worker.send("warm-up")
    assert eventually(lambda: worker.has_noted("warm-up"))
    yield worker
    worker.process.kill()
    worker.process.wait()


def test_it_is_installed_once_however_many_ask_at_once(url: str) -> None:
    with psycopg.connect(url) as database:
        database.execute("DROP SCHEMA IF EXISTS pgmq CASCADE")

    with ThreadPoolExecutor(3) as threads:
        installed = list(threads.map(pgmq.install, [url] * 3))

    assert sorted(installed) == [False, False, True]
    with psycopg.connect(url) as database:
        assert database.execute("SELECT count(*) FROM pgmq.meta").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM pg_extension WHERE extname = 'pgmq'").fetchone() == (0,)


def test_a_worker_wakes_at_once_outlives_the_server_and_ends_when_told(worker: Worker, house: Path) -> None:
    worker.send("hello")
    assert eventually(lambda: worker.has_noted("hello"), within_seconds=1)

    kill_server(house / FOLDER)
    assert eventually(lambda: _restarted(house / FOLDER))
    worker.send("still-here")
    assert eventually(lambda: worker.has_noted("still-here"), within_seconds=30)

    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(15) == 0


def test_an_idle_worker_keeps_no_query_running(worker: Worker, url: str) -> None:
    """With a wait time the transport would keep one busy in the server, asking ten times a second."""
    running = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND datname = 'weir'"
    )
    with psycopg.connect(url, autocommit=True) as database:
        samples = []
        for _ in range(20):
            samples.append(database.execute(running).fetchone())
            time.sleep(0.05)
    assert samples.count((0,)) >= 15
    assert worker.process.poll() is None


def test_another_broker_gets_nothing_of_pgmq() -> None:
    assert defaults_for("amqp://rabbit/weir") == DEFAULTS
    assert "broker_transport_options" not in defaults_for("redis://valkey/0")


def test_a_broker_of_its_own_is_not_overruled_by_the_database_url() -> None:
    options = defaults_for("pgmq://queue:secret@elsewhere/jobs")["broker_transport_options"]

    assert options["conn_string"] == "postgresql://queue:secret@elsewhere/jobs"
    assert options["init_extension"] is False


def _restarted(folder: Path) -> bool:
    try:
        with psycopg.connect(embedded_postgres.ensure_running(folder)):
            return True
    except psycopg.OperationalError:
        return False
