"""A real browser: the machine's own Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.service import Service

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

FLAGS = [
    "--no-sandbox",  # containers run as root and have no user namespaces to spare
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    """The browser's program, or None where there is none."""
    return next((path for name in EXECUTABLES if (path := shutil.which(name))), None)


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Chromium without a window. Raises RuntimeError where there is none."""
    path = executable()
    if path is None:
        raise RuntimeError("no Chromium here; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A page, and what went wrong on it unseen: scripts that failed, files that were missing or elsewhere."""

    def __init__(self, page: Page, service: Service) -> None:
        self.page, self.service = page, service
        self.troubles: list[str] = []
        here = urlsplit(service.url).netloc
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.on(
            "request",
            lambda request: (
                self.troubles.append(f"asks another host: {request.url}")
                if urlsplit(request.url).scheme.startswith("http") and urlsplit(request.url).netloc != here
                else None
            ),
        )
        page.on(
            "response",
            lambda response: (
                self.troubles.append(f"{response.status}: {response.url}") if response.status >= 400 else None
            ),
        )

    def sign_in(self) -> None:
        """Sign in as staff."""
        self.go("/admin/")
        self.page.get_by_label("Username").fill(self.service.staff_user)
        self.page.get_by_label("Password").fill(self.service.staff_password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(f"{self.service.url}/admin/")

    def go(self, path: str) -> None:
        """Open one of the service's pages and wait until it is quiet."""
        self.page.goto(f"{self.service.url}{path}", wait_until="networkidle")
