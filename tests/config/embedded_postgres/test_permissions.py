"""As whom the server runs, and that nothing outside its folder is touched."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.embedded_postgres import linux
from config.embedded_postgres.cluster import find_programs
from tests.config.embedded_postgres.users import User, eventually, nothing_runs

NOBODY = 65534
NAMELESS = 54321

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder that only its owner may enter, below one that the service did not make either."""
    place = tmp_path / "home" / "closed"
    place.mkdir(parents=True)
    place.parent.chmod(0o750)
    place.chmod(0o700)
    before = [_rights(path) for path in (tmp_path, place.parent, place)]
    yield place
    assert [_rights(path) for path in (tmp_path, place.parent, place)] == before


def test_it_works_below_a_closed_folder_and_changes_no_rights_there(closed: Path) -> None:
    folder = closed / "data" / "postgres"
    user = User(folder)

    assert _answers(user.url)
    assert _server_status(folder, "Uid") == str(os.geteuid())  # files stay the caller's own
    user.leaves()
    assert eventually(lambda: nothing_runs(folder))


@as_root
def test_without_user_namespaces_root_serves_as_nobody(closed: Path) -> None:
    folder = closed / "data" / "postgres"
    user = User(folder, under=(sys.executable, str(Path(__file__).with_name("without_namespaces.py"))))
    if user.process.poll() == 77:
        pytest.skip("this machine does not let a test forbid user namespaces")

    assert _answers(user.url)
    assert _server_status(folder, "Uid") == str(NOBODY)
    assert (folder / "cluster").stat().st_uid == NOBODY
    user.leaves()
    assert eventually(lambda: nothing_runs(folder))

    again = User(folder)  # with namespaces: a cluster is served as its owner
    assert _answers(again.url)
    assert _server_status(folder, "Uid") == str(NOBODY)
    again.leaves()
    assert eventually(lambda: nothing_runs(folder))


@as_root
@pytest.mark.parametrize("uid", [NOBODY, NAMELESS], ids=["ordinary user", "user without a name"])
def test_it_works_without_root(uid: int) -> None:
    if uid == NAMELESS and not _open_to_all(find_programs()):
        pytest.skip("the programs lie below a closed folder, which a user without a name cannot enter")
    with tempfile.TemporaryDirectory() as home:  # tmp_path lies below a folder closed to everyone else
        os.chown(home, uid, uid)
        folder = Path(home) / "postgres"
        user = User(folder, become=lambda: linux.become_user(uid, uid))

        assert _answers(user.url)
        assert _server_status(folder, "Uid") == str(uid)
        assert (folder / "cluster").stat().st_uid == uid
        user.leaves()
        assert eventually(lambda: nothing_runs(folder))


def _rights(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_mode, status.st_uid, status.st_gid


def _answers(url: str) -> bool:
    with psycopg.connect(url) as database:
        return database.execute("SELECT 1").fetchone() == (1,)


def _server_status(folder: Path, field: str) -> str:
    """The first value of a field of /proc/PID/status, as the machine, outside any namespace, sees it."""
    process = (folder / "cluster" / "postmaster.pid").read_text().splitlines()[0]
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{field}:"))


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents))
