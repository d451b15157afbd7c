"""The user's side: join the server, starting it if need be, and leave it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from config.embedded_postgres import locks
from config.embedded_postgres.cluster import DATABASE, ROLE
from config.embedded_postgres.errors import PostgresCannotStart
from config.embedded_postgres.folder import Folder
from config.embedded_postgres.keeper import READY
from config.embedded_postgres.server import HOST, ready_port

_HOUSE = Path(__file__).resolve().parents[2]
_LARGEST_KEEPER_LOG_BYTES = 2**20

_joined: dict[Folder, int] = {}  # the descriptors whose shared lock says "this process uses the server"
_one_thread_at_a_time = threading.Lock()


def ensure_running(data_dir: Path, *, patience_seconds: float = 600.0) -> str:
    """Join the server kept in `data_dir`, creating and starting it as needed, and return its URL.

    The server runs for as long as any process that called this lives. Calling again is cheap. Two processes that call
    at once share one server. Raises PostgresCannotStart; recovery after a crash may take up to `patience_seconds`.
    """
    folder = Folder(data_dir.absolute())
    with _one_thread_at_a_time:
        newcomer = folder not in _joined
        try:
            _make_folder(folder)
            with locks.exclusive(folder.launch_lock):
                if newcomer:
                    _join(folder)
                return _url(folder, _running_port(folder, patience_seconds))
        except BaseException as problem:
            if newcomer and folder in _joined:
                os.close(_joined.pop(folder))
            if isinstance(problem, OSError):
                raise PostgresCannotStart(f"The folder {folder.root} cannot be used: {problem}") from problem
            raise


def leave(data_dir: Path, *, patience_seconds: float = 90.0) -> None:
    """Stop using the server; unless others still use it, return when it has stopped."""
    folder = Folder(data_dir.absolute())
    with _one_thread_at_a_time:
        if folder in _joined:
            os.close(_joined.pop(folder))
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline and locks.is_held(folder.keeper_lock):
        used = _is_used(folder)
        if used:
            return
        keeper = keeper_process(folder)
        if used is not None and keeper is not None:
            _signal(keeper, signal.SIGUSR1)
        time.sleep(0.05)


def stop(data_dir: Path, *, patience_seconds: float = 90.0) -> bool:
    """Stop the server whoever uses it; whether there was one to stop."""
    folder = Folder(data_dir.absolute())
    keeper = keeper_process(folder)
    if keeper is None:
        return False
    _signal(keeper, signal.SIGTERM)
    deadline = time.monotonic() + patience_seconds
    while time.monotonic() < deadline and keeper_process(folder) == keeper:
        time.sleep(0.05)
    return True


def _is_used(folder: Folder) -> bool | None:
    """Whether any process uses the server; None while somebody is joining it or the keeper is stopping it."""
    launch, users = locks.open_lock(folder.launch_lock), locks.open_lock(folder.users_lock)
    try:
        return not locks.try_lock(users) if locks.try_lock(launch) else None
    finally:
        os.close(users)
        os.close(launch)


def keeper_process(folder: Folder) -> int | None:
    """The process id of the folder's keeper, if one is alive."""
    if not locks.is_held(folder.keeper_lock):
        return None
    text = folder.keeper_lock.read_text().strip()
    return int(text) if text else None


def current_url(data_dir: Path) -> str | None:
    """The URL of the server in `data_dir` if it is running now; starts and joins nothing."""
    folder = Folder(data_dir.absolute())
    keeper = keeper_process(folder)
    port = ready_port(folder, keeper) if keeper else None
    return _url(folder, port) if port else None


def _url(folder: Folder, port: int) -> str:
    return f"postgresql://{ROLE}:{folder.password.read_text()}@{HOST}:{port}/{DATABASE}"


def _signal(process: int, sign: signal.Signals) -> None:
    try:
        os.kill(process, sign)
    except ProcessLookupError:
        return


def _make_folder(folder: Folder) -> None:
    """Create the folder, never changing one that is there.

    Others may pass through it, because the server may run as another user; every file in it is private by itself.
    """
    if not folder.root.is_dir():
        folder.root.mkdir(parents=True, exist_ok=True)
        folder.root.chmod(0o711)


def _join(folder: Folder) -> None:
    descriptor = locks.open_lock(folder.users_lock)
    locks.wait_for_lock(descriptor, shared=True)
    _joined[folder] = descriptor


def _running_port(folder: Folder, patience_seconds: float) -> int:
    """The port of the running server; called under launch.lock, so no keeper is deciding to stop meanwhile."""
    deadline = time.monotonic() + patience_seconds
    while True:
        if not locks.is_held(folder.keeper_lock):
            _start_keeper(folder)
        keeper = keeper_process(folder)
        port = ready_port(folder, keeper) if keeper else None
        if port:
            return port
        if time.monotonic() > deadline:
            raise PostgresCannotStart(
                f"PostgreSQL in {folder.root} is not ready after {patience_seconds:.0f} s.", log=folder.log_tail()
            )
        time.sleep(0.05)


def _start_keeper(folder: Folder) -> None:
    """Start a keeper and return when it has its server ready. It goes on when this process ends.

    The keeper inherits its lock already taken, so that from the first moment on it is seen to be there.
    """
    lock = locks.open_lock(folder.keeper_lock)
    if not locks.try_lock(lock):
        os.close(lock)
        return
    os.ftruncate(lock, 0)
    reader, writer = os.pipe()
    log = os.open(folder.keeper_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if os.fstat(log).st_size > _LARGEST_KEEPER_LOG_BYTES:
            os.ftruncate(log, 0)
        subprocess.run(
            [sys.executable, "-m", __package__, "keep", str(folder.root), str(lock), str(writer)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock, writer),
            start_new_session=True,
            cwd=_HOUSE,
            check=False,
        )
    finally:
        os.close(log)
        os.close(writer)
        os.close(lock)
    with os.fdopen(reader) as report:
        said = report.read()
    if not said:
        raise PostgresCannotStart(f"The keeper of {folder.root} ended without a word.", log=folder.log_tail())
    if said != READY:
        raise PostgresCannotStart(said)
