"""Staff look at a customer's pages, and it is on record."""

from datetime import datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.test import Client

from portal.models import PortalSession
from tests.portal.conftest import Browser
from tests.world import Actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(acme: Actor) -> Client:
    user = get_user_model().objects.create_user("ada", password="not-a-secret-here", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user)
    return client


def test_the_customers_page_leads_to_their_own(staff: Client, acme: Actor) -> None:
    page = staff.get(f"/admin/entitlements/customer/{acme.row.pk}/change/").content.decode()
    assert "View as customer" in page
    response = staff.post(
        f"/admin/entitlements/customer/{acme.row.pk}/view-as/",
        {"_form_submitted": "True"},
        headers={"hx-request": "true"},
    )
    address = response["HX-Redirect"]
    assert address.startswith("http://testserver/portal/enter?link=")
    browser = Browser()
    browser.reads(address)
    browser.sends("/portal/enter", {"link": address.partition("link=")[2]})
    assert "as staff ada" in browser.reads("/portal/")
    session = PortalSession.objects.get()
    assert (session.created_by, session.read_only) == ("staff ada", True)
    assert LogEntry.objects.get().change_message == "Looked at the customer's own pages."


def test_following_a_link_alone_lets_nobody_in(staff: Client, acme: Actor) -> None:
    staff.get(f"/admin/entitlements/customer/{acme.row.pk}/view-as/")
    assert not PortalSession.objects.exists()


def test_staff_see_who_was_let_in(staff: Client, browser: Browser, now: datetime) -> None:
    session = PortalSession.objects.get()
    assert "acme" in staff.get("/admin/portal/portalsession/").content.decode()
    page = staff.get(f"/admin/portal/portalsession/{session.pk}/change/").content.decode()
    assert "test" in page
    assert "Delete" not in page
    assert staff.post(f"/admin/portal/portalsession/{session.pk}/delete/").status_code == 403
