"""The keeper: one small process per folder that owns the server while anybody uses it.

    user processes --hold shared--> users.lock <--can I have it alone?-- keeper --parent of--> postgres

A user that dies, of anything, lets go of the lock; when nobody holds it any more the keeper stops the server cleanly
and ends. If the keeper itself is killed, the kernel stops the server (PR_SET_PDEATHSIG). If the server is killed, the
keeper starts it again. Joining and stopping cannot cross: users join, and the keeper decides and stops, under
launch.lock.
"""

import contextlib
import os
import signal
import subprocess
import time
import traceback
from pathlib import Path

from config.embedded_postgres import cluster, locks, server
from config.embedded_postgres.errors import PostgresCannotStart
from config.embedded_postgres.folder import Folder
from config.embedded_postgres.identity import Identity, choose_identity

READY = "ready"

_TICK_SECONDS = 0.25
_GRACE_SECONDS = 1.0  # between one command and the next of a script the server need not stop
_SHORT_LIFE_SECONDS = 5.0
_SHORT_LIVES = 3  # a server that ends so soon again and again is left alone

_STOP = {signal.SIGTERM, signal.SIGINT}
_HURRY = signal.SIGUSR1
_SIGNALS = _STOP | {_HURRY, signal.SIGCHLD}


class _Keeper:
    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.launch = locks.open_lock(folder.launch_lock)
        self.users = locks.open_lock(folder.users_lock)
        self.unused_since: float | None = None
        self.short_lives = 0

    def start(self) -> None:
        self.programs: Path = cluster.find_programs()
        self.identity: Identity = choose_identity(self.folder, self.programs / "postgres")
        cluster.ensure_cluster(self.folder, self.programs, self.identity)
        self.launch_server()

    def launch_server(self) -> None:
        self.server: subprocess.Popen[bytes] = server.start(self.folder, self.programs, self.identity)
        self.started = time.monotonic()

    def watch(self) -> None:
        """Return when the server has been stopped, because nobody uses it or because somebody said so."""
        while True:
            received = signal.sigtimedwait(_SIGNALS, _TICK_SECONDS)
            number = received.si_signo if received else None
            if number in _STOP:
                break
            if self.server.poll() is not None:
                self.revive_server()
            if self.is_unused(grace_seconds=0 if number == _HURRY else _GRACE_SECONDS):
                break
        server.stop(self.server, self.folder)

    def revive_server(self) -> None:
        short = time.monotonic() - self.started < _SHORT_LIFE_SECONDS
        self.short_lives = self.short_lives + 1 if short else 0
        if self.short_lives > _SHORT_LIVES:
            raise PostgresCannotStart("PostgreSQL ends again and again, soon after its start.")
        _log(f"postgres ended with {self.server.returncode}; starting it again")
        cluster.ensure_cluster(self.folder, self.programs, self.identity)
        self.launch_server()

    def is_unused(self, *, grace_seconds: float) -> bool:
        """Whether nobody has used the server for the grace. If so both locks stay held: who comes now, waits."""
        if not locks.try_lock(self.launch):
            self.unused_since = None
            return False
        if locks.try_lock(self.users):
            now = time.monotonic()
            self.unused_since = self.unused_since or now
            if now - self.unused_since >= grace_seconds:
                return True
            locks.unlock(self.users)
        else:
            self.unused_since = None
        locks.unlock(self.launch)
        return False


def _log(message: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()), message, flush=True)


def _tell(report: int, message: str) -> None:
    """Answer the caller, who may have ended meanwhile: the watch then sees that nobody is there."""
    with contextlib.suppress(BrokenPipeError):
        os.write(report, message.encode())
    os.close(report)


def _keep(folder: Folder, lock: int, report: int) -> int:
    os.write(lock, f"{os.getpid()}\n".encode())
    keeper = _Keeper(folder)
    try:
        keeper.start()
    except PostgresCannotStart as problem:
        _tell(report, str(problem))
        return 1
    except Exception as problem:  # noqa: BLE001 - whatever it is, the caller is waiting to hear of it
        traceback.print_exc()
        _tell(report, str(PostgresCannotStart(f"{type(problem).__name__}: {problem}")))
        return 1
    _tell(report, READY)
    _log(f"keeping postgres, process {keeper.server.pid}, as {keeper.identity.description}")
    try:
        keeper.watch()
    except PostgresCannotStart as problem:
        _log(f"gave up: {problem}")
        return 1
    _log("stopped")
    return 0


def keep(folder: Folder, lock: int, report: int) -> int:
    """Be the keeper: create and start the server, write READY or what went wrong to `report`, and watch.

    `lock` is the open keeper.lock, taken. Leaves the caller's side at once: it goes on in a child that is nobody's to
    wait for.
    """
    if os.fork():
        os._exit(0)
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    os.chdir("/")
    return _keep(folder, lock, report)
