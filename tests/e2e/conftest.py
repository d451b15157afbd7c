"""One service and one browser for all of these tests; each test gets a page of its own, signed out."""

from collections.abc import Iterator

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed")

from playwright.sync_api import Browser

from tests.e2e.browser import Visit, a_browser, executable
from tests.e2e.service import Service, a_service


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    with a_service() as service:
        yield service


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if executable() is None:
        pytest.skip("no Chromium here; on Debian: apt-get install chromium")
    with a_browser() as browser:
        yield browser


@pytest.fixture
def visitor(browser: Browser, service: Service) -> Iterator[Visit]:
    """Somebody who has not signed in. Whatever they do, no script fails and nothing is loaded from elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    visit = Visit(context.new_page(), service)
    yield visit
    context.close()
    assert visit.troubles == []


@pytest.fixture
def staff(visitor: Visit) -> Visit:
    """Somebody who has signed in."""
    visitor.sign_in()
    return visitor
