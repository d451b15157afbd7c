"""A whole service to look at: the one WEIR_URL names (with its DATA_DIR), or one started for the occasion."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from demo.credentials import read_credentials
from kernel.sql_files import ROOT
from tests.ports import free_port

PATIENCE_SECONDS = 120


class Service(NamedTuple):
    """Where it is, and how to get in."""

    url: str
    api_key: str
    staff_user: str
    staff_password: str


@contextmanager
def a_service() -> Iterator[Service]:
    """The service `make run` makes, with its demo company; ended, and its data removed, afterwards."""
    running = os.environ.get("WEIR_URL")
    if running:
        yield _known(running.rstrip("/"), Path(os.environ.get("DATA_DIR") or ROOT / ".data"))
        return
    with tempfile.TemporaryDirectory(prefix="weir-e2e-", ignore_cleanup_errors=True) as folder:
        port = free_port()
        environment = {**os.environ, "DATA_DIR": folder, "PORT": str(port), "LOG_LEVEL": "WARNING", "SANDBOX_PORT": "0"}
        for elsewhere in ("DATABASE_URL", "CELERY_BROKER_URL", "WEIR_DEMO", "STRIPE_SECRET_KEY"):
            environment.pop(elsewhere, None)
        output = Path(folder, "output.txt")
        with output.open("wb") as file:
            command = [sys.executable, "-m", "config.run"]
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            _wait_until_ready(process, output)
            yield _known(f"http://127.0.0.1:{port}", Path(folder))
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def _known(url: str, folder: Path) -> Service:
    found = read_credentials(folder)
    if found is None:
        raise RuntimeError(f"{folder} has no demo-credentials.json: is this the DATA_DIR of {url}?")
    return Service(url, found.api_key, found.staff_user, found.staff_password)


def _wait_until_ready(process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "\nready: " not in f"\n{output.read_text(errors='replace')}":
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the service did not become ready:\n{output.read_text(errors='replace')[-4000:]}")
        time.sleep(0.2)
