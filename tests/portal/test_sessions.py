"""Who is let into a customer's pages: a link once, in time, for one customer, and a browser's own session after it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from entitlements.services.problems import CustomerUnknown
from kernel.errors import InvalidInput
from portal.models import PortalSession
from portal.services.sessions import KEPT, LINK_LASTS, SESSION_LASTS, Link, create_link, open_link
from tests.portal.conftest import Browser, text_of, visiting
from tests.world import Actor, in_parallel

MINUTE = timedelta(minutes=1)


@pytest.fixture
def link(acme: Actor, now: datetime) -> Link:
    return create_link("acme", created_by="test", now=now, return_url="https://app.example.com/billing")


def said(response: HttpResponse) -> tuple[int, str]:
    return response.status_code, text_of(response.content.decode())


def test_a_link_opens_the_pages_and_leaves_the_address_bar(link: Link) -> None:
    browser = Browser()
    response = browser.enters(link)
    assert (response.status_code, response["Location"]) == (302, "/portal/")
    assert "Acme" in browser.reads("/portal/")


def test_looking_at_a_link_does_not_use_it_up(link: Link) -> None:
    scanner = Client()
    for _ in range(3):
        assert scanner.get(f"/portal/enter?link={link.token}").status_code == 200
    assert not scanner.cookies.get("weir_portal")
    assert Browser().enters(link).status_code == 302


def test_a_link_works_once(link: Link) -> None:
    Browser().enters(link)
    status, text = said(Browser().enters(link))
    assert (status, "This link was used before" in text) == (410, True)
    status, text = said(Client().post("/portal/enter", {"link": link.token}))
    assert (status, "This link was used before" in text) == (410, True)


@pytest.mark.django_db(transaction=True)
def test_of_two_that_open_a_link_at_once_one_gets_in(link: Link, now: datetime) -> None:
    outcomes = in_parallel(8, lambda _: open_link(link.token, now))
    assert sum(isinstance(outcome, tuple) for outcome in outcomes) == 1


def test_the_browser_that_used_it_may_come_back_to_its_address(link: Link) -> None:
    browser = Browser()
    browser.enters(link)
    response = browser.get(f"/portal/enter?link={link.token}")
    assert (response.status_code, response["Location"]) == (302, "/portal/")


def test_a_used_link_of_one_customer_does_not_show_another(link: Link, now: datetime) -> None:
    Browser().enters(link)
    Actor("globex", now)
    other = visiting("globex", now)
    assert other.get(f"/portal/enter?link={link.token}").status_code == 410


def test_a_link_expires(link: Link, clock: Any, now: datetime) -> None:
    clock(now + LINK_LASTS)
    response = Browser().enters(link)
    status, text = said(response)
    assert (status, "This link has expired" in text) == (410, True)
    assert 'href="https://app.example.com/billing"' in response.content.decode()


@pytest.mark.parametrize("spoil", ["", "x", "{}x", "x{}", "{}:{}", "\x00", "é", "." * 3000])
def test_a_forged_link_opens_nothing(link: Link, spoil: str) -> None:
    token = spoil.format(link.token, link.token)
    status, text = said(Client().get("/portal/enter", {"link": token}))
    assert (status, "This link is not valid" in text) == (403, True)
    assert Client().post("/portal/enter", {"link": token}).status_code == 403
    assert PortalSession.objects.get().opened_at is None


def test_a_link_names_one_session_and_its_signature_no_other(link: Link, now: datetime) -> None:
    other = create_link("acme", created_by="test", now=now)
    mixed = other.token.split(":")[0] + ":" + link.token.split(":")[1]
    assert Client().get("/portal/enter", {"link": mixed}).status_code == 403


def test_the_cookie_is_the_browsers_own_secret(browser: Browser) -> None:
    cookie = browser.cookies["weir_portal"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/portal/")
    assert int(cookie["max-age"]) == SESSION_LASTS.total_seconds()
    digest = bytes(PortalSession.objects.get().secret_digest)
    assert cookie.value.encode() not in digest
    assert len(cookie.value) >= 43


def test_without_a_session_there_is_nothing_to_see(acme: Actor, client: Client) -> None:
    for path in ("/portal/", "/portal/usage", "/portal/ledger", "/portal/credits"):
        status, text = said(client.get(path))
        assert (status, "Your visit has ended" in text) == (403, True)
        client.cookies["weir_portal"] = "guessed"


def test_a_visit_ends_by_itself(browser: Browser, clock: Any, now: datetime) -> None:
    clock(now + SESSION_LASTS - MINUTE)
    browser.reads("/portal/")
    clock(now + SESSION_LASTS)
    assert browser.get("/portal/").status_code == 403


def test_a_fragment_asked_for_after_the_end_makes_the_page_load_anew(client: Client, acme: Actor) -> None:
    response = client.get("/portal/usage", headers={"hx-request": "true"})
    assert (response.status_code, response["HX-Refresh"]) == (403, "true")


def test_signing_out_ends_the_visit_for_good(browser: Browser) -> None:
    secret = browser.cookies["weir_portal"].value
    assert "You are signed out" in browser.sends("/portal/leave", {}).content.decode()
    browser.cookies["weir_portal"] = secret
    assert browser.get("/portal/").status_code == 403


def test_signing_out_takes_a_form_with_its_token(browser: Browser) -> None:
    assert browser.get("/portal/leave").status_code == 405
    assert browser.post("/portal/leave").status_code == 403
    browser.reads("/portal/")


def test_a_new_link_ends_the_visit_before_it(browser: Browser, now: datetime) -> None:
    former = browser.cookies["weir_portal"].value
    Actor("globex", now)
    browser.enters(create_link("globex", created_by="test", now=now))
    assert "Globex" in browser.reads("/portal/")
    browser.cookies["weir_portal"] = former
    assert browser.get("/portal/").status_code == 403


def test_pages_are_not_stored_not_framed_and_run_nothing_foreign(browser: Browser, link: Link) -> None:
    for path in ("/portal/", "/portal/usage", "/portal/ledger", "/portal/credits", f"/portal/enter?link={link.token}"):
        response = browser.get(path)
        assert "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "same-origin"
        policy = dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))
        assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
        assert policy["frame-ancestors"] == "'none'"
        page = response.content.decode()
        assert " style=" not in page
        assert "<script>" not in page
        assert "http://" not in page.replace("http://testserver", "")


def test_staff_look_and_change_nothing(acme: Actor, now: datetime) -> None:
    browser = visiting("acme", now, read_only=True)
    assert "Nothing can be changed or bought here" in browser.reads("/portal/")
    response = browser.sends("/portal/buy", {"pack": "small"})
    assert (response.status_code, "Looking only" in response.content.decode()) == (403, True)


def test_old_visits_are_forgotten(acme: Actor, now: datetime) -> None:
    create_link("acme", created_by="test", now=now - KEPT - MINUTE)
    recent = create_link("acme", created_by="test", now=now - KEPT + MINUTE)
    latest = create_link("acme", created_by="test", now=now)
    assert set(PortalSession.objects.values_list("id", flat=True)) == {recent.session.pk, latest.session.pk}


def test_a_link_needs_a_customer(acme: Actor, now: datetime) -> None:
    with pytest.raises(CustomerUnknown):
        create_link("nobody", created_by="test", now=now)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "//evil.example", "/relative", "https://", "ftp://a.example",
        "https://a.example/ b", "https://a.example/\n", "http://[", "https://a.example/" + "x" * 2000,
    ],
)  # fmt: skip
def test_the_way_back_is_a_web_address(acme: Actor, now: datetime, url: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        create_link("acme", created_by="test", now=now, return_url=url)
    assert refusal.value.field == "return_url"
