"""What customers see of their account, in every state it can be in."""

from datetime import datetime

import pytest

from tests.portal.conftest import Browser, text_of, visiting
from tests.world import Actor, World

pytestmark = pytest.mark.django_db

PAGES = ("/portal/", "/portal/usage", "/portal/ledger", "/portal/credits")


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_account_has_every_page(world: World, now: datetime, clock: object, path: str) -> None:
    Actor("nobody-yet", now)
    assert "<h1>" in visiting("nobody-yet", now).reads(path)


def test_the_overview_says_what_there_is(browser: Browser, acme: Actor, now: datetime) -> None:
    acme.spends("12.5", key="e1")
    page = text_of(browser.reads("/portal/"))
    for words in ("Available 87.5", "Used this period 12.5", "Pro", "$29 a month", "100 credits a month"):
        assert words in page, page
