"""The server process: its settings, its port, its start and its stop."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from config.embedded_postgres.cluster import running_processes
from config.embedded_postgres.errors import PostgresCannotStart
from config.embedded_postgres.folder import Folder
from config.embedded_postgres.identity import Identity

HOST = "127.0.0.1"

# Given on the command line, so that a release that changes one needs no migration of files. Durability is PostgreSQL's
# default and spelled out because promises rest on it; the rest suits a small machine with a hot OLTP table.
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "1GB",
    "min_wal_size": "64MB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # One log per weekday, each emptied when its day comes round again.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}

_LARGEST_LOG_BYTES = 32 * 2**20


def pick_port(folder: Folder) -> int:
    """The port used before if it is free, else a free one, remembered."""
    try:
        port = int(folder.port.read_text())
        if _is_free(port):
            return port
    except (FileNotFoundError, ValueError):
        pass
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    folder.port.write_text(f"{port}\n")
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as PostgreSQL does: the last run's port may linger
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def ready_port(folder: Folder, keeper: int) -> int | None:
    """The port of the keeper's server once it is ready, by the status line PostgreSQL keeps in postmaster.pid.

    A server whose keeper is another process, or gone, is on its way out and does not count.
    """
    try:
        lines = (folder.cluster / "postmaster.pid").read_text().splitlines()
        status = Path(f"/proc/{lines[0]}/status").read_text()
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return None
    if len(lines) < 8 or lines[7].strip() != "ready" or f"\nPPid:\t{keeper}\n" not in status:
        return None
    return int(lines[3])


def start(folder: Folder, programs: Path, identity: Identity) -> "subprocess.Popen[bytes]":
    """Start the server as a child of this process and return when it accepts connections.

    Recovery after a crash can take as long as it takes. Raises PostgresCannotStart if the server ends instead.
    """
    _drop_large_logs(folder)
    command: list[str | Path] = [programs / "postgres", "-D", folder.cluster]
    settings = SETTINGS | {"cluster_name": folder.name, "port": str(pick_port(folder))}
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,  # a Ctrl-C in the terminal is not for the server
        preexec_fn=identity.entering(),  # noqa: PLW1509 - safe: the keeper has one thread
    )
    while server.poll() is None:
        if ready_port(folder, os.getpid()) is not None:
            return server
        time.sleep(0.02)
    raise PostgresCannotStart(
        f"PostgreSQL in {folder.root}, run as {identity.description}, ended with {server.returncode} while starting.",
        log=folder.log_tail(),
    )


def stop(server: "subprocess.Popen[bytes]", folder: Folder, patience_seconds: float = 60.0) -> None:
    """Stop the server: cleanly if it manages in time, else at once (the next start then recovers from the log)."""
    for sign, seconds in ((signal.SIGINT, patience_seconds), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        if server.poll() is not None:
            break
        server.send_signal(sign)
        try:
            server.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    for process in running_processes(folder):  # only if the postmaster was killed: its children are then on their own
        try:
            os.kill(process, signal.SIGQUIT)
        except ProcessLookupError:
            continue


def _drop_large_logs(folder: Folder) -> None:
    """A server that never runs at midnight never rotates; so a log that has grown too large goes at the next start."""
    for log in folder.cluster.glob("log/*.log"):
        if log.stat().st_size > _LARGEST_LOG_BYTES:
            log.unlink()
