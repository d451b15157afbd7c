"""The real service over real HTTP: the web role on a free port, on the test's own database.

Import the fixtures in the conftest.py of the tests that want them. What a test sets up is committed
(`transactional_db`), so that the process sees it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import quote

import httpx
import pytest
from django.db import connection

from access.models import Scope
from access.services.api_keys import create_key
from kernel.clock import utc_now
from kernel.sql_files import ROOT
from tests.ports import free_port

PATIENCE_SECONDS = 30


@pytest.fixture
def live_gate(transactional_db: None) -> Iterator[str]:
    """The base URL of the service; it is stopped before the database is cleaned."""
    with serving([sys.executable, "-m", "config.roles", "web"]) as url:
        yield url


@contextmanager
def serving(command: Sequence[str]) -> Iterator[str]:
    """The base URL of a service on the test's database that listens on HOST and PORT, until the block ends."""
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": _test_database_url(),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_WORKERS": "1",
        "LOG_LEVEL": "WARNING",
    }
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_it_serves(url, process)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def live_key(transactional_db: None) -> str:
    """An API key that may do everything."""
    _, token = create_key("live test", Scope.values, utc_now())
    return token


def _test_database_url() -> str:
    """Where this test run's own database is: not the one DATABASE_URL names, but the one made beside it."""
    its = connection.get_connection_params()
    host = quote(str(its.get("host") or ""), safe="")
    who = f"{quote(its['user'], safe='')}:{quote(its.get('password') or '', safe='')}"
    return f"postgresql://{who}@{host}:{its.get('port') or 5432}/{quote(its['dbname'], safe='')}"


def _wait_until_it_serves(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if httpx.get(f"{url}/healthz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None:
            raise RuntimeError(f"the service ended with {process.returncode} before it served")
        if time.monotonic() > deadline:
            raise RuntimeError(f"the service did not serve within {PATIENCE_SECONDS} s")
        time.sleep(0.1)
