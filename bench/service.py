"""The real service as it ships: the web role in a process of its own, on a free port."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from config.health import is_healthy
from kernel.sql_files import ROOT

_PATIENCE_SECONDS = 30.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Service(NamedTuple):
    """A running service."""

    port: int
    session: int

    def cpu_seconds(self) -> float:
        """What its processes have used so far."""
        return (
            sum(_cpu_ticks(entry, self.session) for entry in Path("/proc").iterdir() if entry.name.isdigit()) / _TICKS
        )


@contextmanager
def running(database_url: str) -> Iterator[Service]:
    """The service on a database, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_WORKERS": "1",
        "LOG_LEVEL": "WARNING",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "config.roles", "web"], cwd=ROOT, env=environment, start_new_session=True
    ) as process:
        try:
            _wait(port, process)
            yield Service(port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_healthy(port):
        if process.poll() is not None:
            raise RuntimeError(f"the service ended with {process.returncode} before it served")
        if time.monotonic() > deadline:
            raise RuntimeError(f"the service did not serve within {_PATIENCE_SECONDS:.0f} s")
        time.sleep(0.1)


def _cpu_ticks(entry: Path, session: int) -> int:
    try:
        # The command's name, in brackets, may contain anything: count from behind it.
        fields = (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12]) if int(fields[3]) == session else 0
