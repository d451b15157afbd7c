from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from access.services.api_keys import create_key
from kernel.clock import utc_now
from tests.concurrency.web import WebProcess
from tests.gate import test_dsn


@pytest.fixture(params=[1, 2], ids=["one process", "two processes"])
def webs(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[list[WebProcess]]:
    """Web processes on this run's database; what a test commits they see."""
    with ExitStack() as running:
        started = [running.enter_context(WebProcess(test_dsn())) for _ in range(request.param)]
        for web in started:
            web.wait()
        yield started


@pytest.fixture
def key(transactional_db: None) -> str:
    """An API key for what an app calls."""
    return create_key("concurrency", ["check", "usage"], utc_now())[1]
