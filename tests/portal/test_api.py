"""POST /v1/customers/{key}/portal-sessions."""

from typing import Any

import pytest
from django.test import override_settings

from portal.models import PortalSession
from tests.entitlements.api.conftest import Api, refused
from tests.portal.conftest import Browser
from tests.world import Actor

pytestmark = pytest.mark.django_db

PATH = "/customers/acme/portal-sessions"


@pytest.fixture
def api(db: None, clock: object) -> Api:
    return Api("admin")


def test_a_backend_asks_for_a_link_and_a_browser_opens_it(api: Api, acme: Actor) -> None:
    response = api.post(PATH, {"return_url": "https://app.example.com/billing"})
    assert response.status_code == 201
    body = response.json()
    assert body["expires_at"] == "2026-11-15T12:10:00Z"
    browser = Browser()
    page = browser.reads(body["url"])
    link = body["url"].partition("link=")[2]
    assert link in page
    assert browser.sends("/portal/enter", {"link": link}).status_code == 302
    assert 'href="https://app.example.com/billing"' in browser.reads("/portal/")


def test_nothing_need_be_said(api: Api, acme: Actor) -> None:
    assert api.post(PATH, {}).status_code == 201


def test_who_asked_is_on_record(api: Api, acme: Actor) -> None:
    api.post(PATH, {})
    assert PortalSession.objects.get().created_by.startswith("key weir_sk_")


def test_the_address_is_the_one_browsers_know(api: Api, acme: Actor) -> None:
    assert api.post(PATH, {}).json()["url"].startswith("http://testserver/portal/enter?link=")
    with override_settings(PUBLIC_URL="https://billing.example.com/"):
        assert api.post(PATH, {}).json()["url"].startswith("https://billing.example.com/portal/enter?link=")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"return_url": "javascript:alert(1)"}, "return_url"),
        ({"return_url": "app.example.com"}, "return_url"),
        ({"return_url": 5}, "return_url"),
        ({"return_url": None}, "return_url"),
        ({"return_url": "https://a.example/" + "x" * 2000}, "return_url"),
        ({"return_uri": "https://a.example/"}, "return_uri"),
    ],
)
def test_a_bad_request_is_refused_and_makes_no_link(api: Api, acme: Actor, body: dict[str, Any], field: str) -> None:
    refused(api.post(PATH, body), 422, "invalid_input", field)
    assert not PortalSession.objects.exists()


def test_a_customer_nobody_knows_has_no_pages(api: Api, acme: Actor) -> None:
    refused(api.post("/customers/nobody/portal-sessions", {}), 404, "customer_unknown")


def test_it_takes_the_admin_scope(acme: Actor) -> None:
    refused(Api("read", "check", "usage").post(PATH, {}), 403, "scope_missing")
    refused(Api("admin").get(PATH), 405, "method_not_allowed")
