from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture(autouse=True)
def _only_these_pages(settings: Any) -> None:
    """The sidebar links to every app's pages; these tests are about this app's alone."""
    settings.UNFOLD = {**settings.UNFOLD, "SIDEBAR": {"navigation": []}}


@pytest.fixture
def staff(db: None) -> Client:
    """A browser in which the founder is signed in."""
    browser = Client()
    browser.force_login(User.objects.create(username="founder", is_staff=True, is_superuser=True))
    return browser
