from collections.abc import Callable
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client

from portal.services.sessions import Link, create_link
from tests.billing.conftest import shared_stripe, stripe
from tests.world import Actor, World

__all__ = ["shared_stripe", "stripe"]

CLOCKS = ("portal.pages.guard.utc_now", "portal.pages.entering.utc_now", "entitlements.api.base.utc_now")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Callable[[datetime], None]:
    """The edge's clock stands at `now`; calling the fixture's value moves it."""

    def move(instant: datetime) -> None:
        for edge in CLOCKS:
            monkeypatch.setattr(edge, lambda: instant)

    move(now)
    return move


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def acme(world: World, now: datetime, clock: object) -> Actor:
    """A customer on the pro plan: 100 credits a month, chat up to economy."""
    return Actor("acme", now, world.pro)


class Browser(Client):
    """A customer's browser. Forms are sent with their CSRF token, as a browser would."""

    def __init__(self) -> None:
        super().__init__(enforce_csrf_checks=True)

    def enters(self, link: Link) -> HttpResponse:
        """Open a link: look at its page, send its form."""
        address = f"/portal/enter?link={link.token}"
        page = self.get(address)
        return self.sends("/portal/enter", {"link": link.token}) if page.status_code == 200 else page

    def reads(self, path: str, **query: Any) -> str:
        """The text of a page that is there."""
        response = self.get(path, query)
        assert response.status_code == 200, (path, response.status_code, response.content[:300])
        return response.content.decode()

    def sends(self, path: str, fields: dict[str, Any]) -> HttpResponse:
        """Send a form with the token of the browser's cookie."""
        token = self.cookies["csrftoken"].value if "csrftoken" in self.cookies else ""
        return self.post(path, fields | {"csrfmiddlewaretoken": token})


def visiting(customer: str, now: datetime, **parts: Any) -> Browser:
    """A browser that has been let into a customer's pages."""
    browser = Browser()
    response = browser.enters(create_link(customer, created_by="test", now=now, **parts))
    assert (response.status_code, urlsplit(response["Location"]).path) == (302, "/portal/")
    return browser


@pytest.fixture
def browser(acme: Actor, now: datetime) -> Browser:
    """Acme's own."""
    return visiting("acme", now)


def text_of(page: str) -> str:
    """What a page says, without its markup, in one line."""
    reader = _Reader()
    reader.feed(page)
    return " ".join(" ".join(reader.found).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)
