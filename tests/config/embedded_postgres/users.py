"""Processes that use an embedded server, and a look at what runs; for the stories beside this file."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from config.embedded_postgres.cluster import running_processes
from config.embedded_postgres.folder import Folder

HOUSE = Path(__file__).resolve().parents[3]

_USE = """
import sys
from pathlib import Path
from config.embedded_postgres import PostgresCannotStart, ensure_running, leave
try:
    print(ensure_running(Path(sys.argv[1])), flush=True)
except PostgresCannotStart as problem:
    sys.exit(str(problem))
sys.stdin.read()
leave(Path(sys.argv[1]))
"""


class User:
    """A process that uses the server in `folder` until it is killed or told to leave."""

    def __init__(self, folder: Path, *, become: Callable[[], None] | None = None, under: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*under, sys.executable, "-c", _USE, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=HOUSE,
            env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
            preexec_fn=become,  # noqa: PLW1509 - the stories have one thread
        )

    @property
    def url(self) -> str:
        """The URL it was given; waits for it. An error of the launcher fails the story with the launcher's words."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line, self.complaint
        return line

    @property
    def complaint(self) -> str:
        """What it said when it could not start; waits for its end."""
        return self.process.communicate()[1]

    def is_killed(self) -> None:
        self.process.kill()
        self.process.wait()

    def leaves(self) -> None:
        if self.process.poll() is None:
            self.process.communicate()


def eventually(condition: Callable[[], bool], *, within_seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def nothing_runs(folder: Path) -> bool:
    return not processes_of(folder)


def processes_of(folder: Path) -> list[int]:
    """The keeper and the processes of the server."""
    return [*_keepers(folder), *running_processes(Folder(folder))]


def kill_server(folder: Path) -> None:
    """Kill -9 the postmaster; its children end by themselves."""
    os.kill(int((folder / "cluster" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)


def kill_keeper(folder: Path) -> None:
    """Kill -9 the keeper; return when the kernel has told the server, which comes after the keeper's memory is gone."""
    keeper = int((folder / "keeper.lock").read_text())
    os.kill(keeper, signal.SIGKILL)
    assert eventually(lambda: _is_over(keeper))


def kill_everything(folder: Path) -> None:
    """Kill -9 the keeper and every process of the server, as a power cut does."""
    for process in processes_of(folder):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue
    assert eventually(lambda: nothing_runs(folder))


def _is_over(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in "ZX"


def _keepers(folder: Path) -> list[int]:
    mark = f"keep\0{folder}\0".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found
