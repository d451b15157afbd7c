"""What was committed survives kill -9 of anything, and the next start needs no help."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg

from config import embedded_postgres
from config.embedded_postgres.cluster import running_processes
from config.embedded_postgres.folder import Folder
from tests.config.embedded_postgres.users import (
    User,
    eventually,
    kill_everything,
    kill_keeper,
    kill_server,
    nothing_runs,
)

AUser = Callable[[], User]


def test_a_killed_server_is_started_again_while_somebody_uses_it(folder: Path, a_user: AUser) -> None:
    url = a_user().url
    _write_note(url)
    first = set(running_processes(Folder(folder)))

    kill_server(folder)

    assert eventually(lambda: bool(set(running_processes(Folder(folder))) - first))
    assert a_user().url == url  # the next one to ask waits until it is ready
    assert _note(url) == "kept"


def test_the_next_user_brings_back_what_was_killed_altogether(folder: Path, a_user: AUser) -> None:
    first = a_user()
    _write_note(first.url)
    kill_everything(folder)
    assert (folder / "cluster" / "postmaster.pid").exists()  # as after a power cut

    assert _note(a_user().url) == "kept"


def test_the_same_process_can_ask_again_after_the_keeper_was_killed(folder: Path) -> None:
    url = embedded_postgres.ensure_running(folder)
    _write_note(url)
    kill_keeper(folder)

    assert _note(embedded_postgres.ensure_running(folder)) == "kept"
    embedded_postgres.leave(folder)
    assert nothing_runs(folder)


def test_a_dead_server_s_process_id_given_to_another_program_does_not_matter(folder: Path, a_user: AUser) -> None:
    first = a_user()
    _write_note(first.url)
    kill_everything(folder)
    other = subprocess.Popen(["sleep", "60"])
    try:
        lock = folder / "cluster" / "postmaster.pid"
        lock.write_text("\n".join([str(other.pid), *lock.read_text().split("\n")[1:]]))

        assert _note(a_user().url) == "kept"
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_creation_that_was_cut_short_is_begun_again(folder: Path, a_user: AUser) -> None:
    (folder / "cluster.new" / "base").mkdir(parents=True)

    with psycopg.connect(a_user().url) as database:
        assert database.execute("SELECT 1").fetchone() == (1,)
    assert not (folder / "cluster.new").exists()


def _write_note(url: str) -> None:
    with psycopg.connect(url) as database:
        database.execute("CREATE TABLE note AS SELECT 'kept' AS text")


def _note(url: str) -> str:
    with psycopg.connect(url) as database:
        row = database.execute("SELECT text FROM note").fetchone()
    assert row is not None
    return str(row[0])
