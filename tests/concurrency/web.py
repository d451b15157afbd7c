"""Web processes of the service as it ships, that can be killed and started again where they were."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from config.health import is_healthy
from kernel.sql_files import ROOT
from tests.ports import free_port

PATIENCE_SECONDS = 60.0


class WebProcess:
    """One web process of a database's, on a port of its own that it keeps. What it says goes to `log`, if given."""

    def __init__(self, database_url: str, log: Path | None = None) -> None:
        self.port = free_port()
        self._log = log
        self._environment = os.environ | {
            "DATABASE_URL": database_url,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "WEB_WORKERS": "1",
            "LOG_LEVEL": "ERROR",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "WebProcess":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it; `wait` says when it serves."""
        with ExitStack() as files:
            said = files.enter_context(self._log.open("ab")) if self._log else None
            self._process = subprocess.Popen(
                [sys.executable, "-m", "config.roles", "web"],
                cwd=ROOT,
                env=self._environment,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Return when it answers."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_healthy(self.port):
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError("the web process ended before it served")
            if time.monotonic() > deadline:
                raise RuntimeError(f"the web process did not serve within {PATIENCE_SECONDS:.0f} s")
            time.sleep(0.1)

    def kill(self) -> None:
        """kill -9, supervisor and worker at once."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it in good order, or else at once."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
