"""Who starts the server, who shares it, and that it never outlives its users."""

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from config import embedded_postgres
from tests.config.embedded_postgres.users import User, eventually, kill_keeper, nothing_runs

AUser = Callable[[], User]


def test_first_use_creates_a_private_database_on_loopback(folder: Path, a_user: AUser) -> None:
    url = a_user().url

    with psycopg.connect(url) as database:
        row = database.execute(
            "SELECT current_database(), current_setting('server_encoding'), current_setting('listen_addresses'),"
            " current_setting('synchronous_commit'), current_setting('fsync'), rolsuper, rolcreatedb"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == ("weir", "UTF8", "127.0.0.1", "on", "on", False, True)
    assert (folder / "password").stat().st_mode & 0o777 == 0o600
    wrong = url.replace((folder / "password").read_text(), "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace("weir:", "postgres:", 1))  # nobody comes in as superuser


def test_two_processes_that_start_at_once_share_one_server_and_it_stays_for_the_second(a_user: AUser) -> None:
    first, second = a_user(), a_user()
    url = second.url

    assert first.url == url
    first.is_killed()
    time.sleep(2)  # longer than the grace the keeper gives
    with psycopg.connect(url) as database:
        assert database.execute("SELECT 1").fetchone() == (1,)


def test_a_killed_user_leaves_nothing_running(folder: Path, a_user: AUser) -> None:
    user = a_user()
    assert user.url
    user.is_killed()

    assert eventually(lambda: nothing_runs(folder))


def test_a_killed_keeper_takes_the_server_with_it(folder: Path, a_user: AUser) -> None:
    assert a_user().url
    kill_keeper(folder)

    assert eventually(lambda: nothing_runs(folder))


def test_who_arrives_while_the_server_stops_gets_a_new_one(folder: Path) -> None:
    """Every round the last user leaves, which stops the server at once, and the next one comes in the middle of it."""
    for pause_seconds in (0.0, 0.05, 0.1, 0.2):
        embedded_postgres.ensure_running(folder)
        embedded_postgres.leave(folder, patience_seconds=pause_seconds)
        with psycopg.connect(embedded_postgres.ensure_running(folder)) as database:
            assert database.execute("SELECT 1").fetchone() == (1,)
        embedded_postgres.leave(folder)
        assert nothing_runs(folder)


def test_the_port_and_the_data_are_there_again_next_time(folder: Path) -> None:
    first = embedded_postgres.ensure_running(folder)
    with psycopg.connect(first) as database:
        database.execute("CREATE TABLE kept AS SELECT 'still here' AS note")
    embedded_postgres.leave(folder)

    second = embedded_postgres.ensure_running(folder)
    with psycopg.connect(second) as database:
        assert database.execute("SELECT note FROM kept").fetchone() == ("still here",)
    embedded_postgres.leave(folder)
    assert first == second


def test_a_database_named_by_the_environment_is_used_and_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/weir")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "untouched"))

    assert embedded_postgres.database_url() == "postgresql://elsewhere/weir"
    assert not (tmp_path / "untouched").exists()
