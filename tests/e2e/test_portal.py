"""A customer's own pages in a real browser: a pack is bought, auto top-up set, and the charge seen."""

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.browser import Visit
from tests.e2e.service import Service

SHORT_OF_CREDITS = "kestrel-legal"
PAGES = ("", "usage", "ledger", "credits", "buy", "settings", "invoices")
PATIENCE_MS = 90_000
"""A charge waits for a worker to notice, and for its webhook."""


def api(service: Service, path: str, body: dict[str, Any] | None = None) -> Any:
    """One call as the product's backend makes it."""
    request = urllib.request.Request(
        f"{service.url}/v1/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {service.api_key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def enter(page: Page, service: Service, customer: str) -> str:
    """Follow a fresh link into a customer's pages. Returns the link."""
    link: str = api(service, f"customers/{customer}/portal-sessions", {})["url"]
    page.goto(link)
    page.wait_for_url(f"{service.url}/portal/")
    return link


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Visit]:
    """Somebody on a customer's pages. Only the page where they pay is another's, and no script fails."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    visit = Visit(context.new_page(), service)
    yield visit
    context.close()
    assert [trouble for trouble in visit.troubles if "/pay/" not in trouble and "favicon" not in trouble] == []


def pay(page: Page, service: Service) -> None:
    """Pay on the sandbox's page, and come back."""
    expect(page.get_by_text("No real money moves")).to_be_visible()
    page.get_by_role("button", name="Pay ", exact=False).first.click()
    page.wait_for_url(f"{service.url}/portal/orders/**")


def wait_for_charge(visit: Visit) -> Locator:
    """Look again and again until an auto top-up has been paid; its row."""
    bought = visit.page.get_by_role("row").filter(has_text="auto top-up").filter(has_text="Paid").first
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not bought.is_visible():
        assert time.monotonic() < deadline, visit.page.locator("main").inner_text()
        visit.page.wait_for_timeout(1_000)
        visit.go("/portal/settings")
    return bought


def test_a_customer_buys_a_pack_and_auto_top_up_buys_the_next(visit: Visit, service: Service) -> None:
    page = visit.page
    link = enter(page, service, SHORT_OF_CREDITS)
    assert "link=" not in page.url
    available = page.locator(".tiles > div").filter(has_text="Available").locator("dd").first
    before = float(available.get_attribute("title") or "")

    page.get_by_role("link", name="Buy", exact=True).click()
    page.get_by_role("button", name="Buy Small").click()
    pay(page, service)
    expect(page.get_by_text("1,000 credits were added")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="Overview", exact=True).click()
    assert float(available.get_attribute("title") or "") == pytest.approx(before + 1000)

    # Auto top-up, with the card that has just been used: set a little below what there is.
    now = int(before + 1000)
    page.get_by_role("link", name="Auto top-up", exact=True).click()
    page.get_by_label("When fewer than").fill(f"{now - 50}")
    page.get_by_label("Buy", exact=True).select_option("small")
    expect(page.get_by_label("Another amount")).to_be_hidden()
    page.get_by_label("Spend no more than").fill("40")
    page.locator("button[value=auto]").click()
    expect(page.get_by_text("It is on.")).to_be_visible()

    usage = {
        "key": f"e2e-{uuid4()}",
        "customer": SHORT_OF_CREDITS,
        "feature": "chat",
        "model": "gpt-5",
        "credits": "60",
    }
    api(service, "usage", usage)
    bought = wait_for_charge(visit)
    expect(bought).to_contain_text("1,000 credits")
    expect(bought).to_contain_text("$10")
    page.get_by_role("link", name="Overview", exact=True).click()
    assert float(available.get_attribute("title") or "") == pytest.approx(before + 2000 - 60)
    page.get_by_role("link", name="Ledger", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="Top-up").filter(has_text="+1,000").nth(1)).to_be_visible()

    page.get_by_role("link", name="Auto top-up", exact=True).click()
    page.get_by_role("button", name="Turn auto top-up off").click()
    expect(page.get_by_text("It is off.")).to_be_visible()

    # The link has done its work.
    page.context.clear_cookies()
    visit.troubles.clear()
    response = page.goto(link)
    assert response is not None
    assert response.status == 410
    expect(page.get_by_role("heading", name="This link was used before")).to_be_visible()
    visit.troubles.clear()


def test_every_page_fits_a_phone_and_keeps_to_this_machine(visit: Visit, service: Service) -> None:
    page = visit.page
    page.set_viewport_size({"width": 375, "height": 812})
    enter(page, service, "borealis-bank")
    for path in PAGES:
        visit.go(f"/portal/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path
        expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_first_thing_a_keyboard_reaches_is_the_way_past_the_menu(visit: Visit, service: Service) -> None:
    page = visit.page
    enter(page, service, "borealis-bank")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_days_are_changed_without_leaving_the_place(visit: Visit, service: Service) -> None:
    page = visit.page
    enter(page, service, "borealis-bank")
    visit.go("/portal/usage")
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="7 days").click()
    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="Model", exact=True).click()
    expect(page.get_by_role("heading", name="By model")).to_be_visible()
    assert page.evaluate("window.stayed") is True
    assert "by=model" in page.url
    assert "period=7" in page.url


def test_staff_look_at_a_customers_pages(staff: Visit) -> None:
    page = staff.page
    staff.go(f"/admin/entitlements/customer/?q={SHORT_OF_CREDITS}")
    page.get_by_role("link", name=SHORT_OF_CREDITS).click()
    page.locator("a, button").filter(has_text="View as customer").first.click()
    page.get_by_role("button", name="Look").click()
    page.wait_for_url(f"{staff.service.url}/portal/")
    expect(page.get_by_text("Nothing can be changed or bought here")).to_be_visible()
