"""A customer's own pages in a real browser: a pack is bought, auto top-up set, and the charge seen."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import Visit
from tests.e2e.customer import api, enter
from tests.e2e.service import Service

SHORT_OF_CREDITS = "kestrel-legal"
PAGES = ("", "usage", "ledger", "credits", "buy", "plan", "settings", "invoices")
PATIENCE_MS = 90_000
"""A charge waits for a worker to notice, and for its webhook."""


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


def available(page: Page) -> float:
    """What the overview, which is open, says is available."""
    tile = page.locator(".tiles > div").filter(has_text="Available")
    return float(tile.locator("dd").first.get_attribute("title") or "")


def wait_until_available(visit: Visit, wanted: float) -> None:
    """Look at the overview again and again until a charge has brought what it bought."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    visit.go("/portal/")
    while available(visit.page) != pytest.approx(wanted):
        assert time.monotonic() < deadline, f"{available(visit.page)} is available, not {wanted}"
        visit.page.wait_for_timeout(1_000)
        visit.go("/portal/")


def test_a_customer_buys_a_pack_and_auto_top_up_buys_the_next(visit: Visit, service: Service) -> None:
    page = visit.page
    link = enter(page, service, SHORT_OF_CREDITS)
    assert "link=" not in page.url
    before = available(page)

    page.get_by_role("link", name="Buy", exact=True).click()
    page.get_by_role("button", name="Buy Small").click()
    pay(page, service)
    expect(page.get_by_text("1,000 credits were added")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="Overview", exact=True).click()
    assert available(page) == pytest.approx(before + 1000)

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
    wait_until_available(visit, before + 2000 - 60)
    page.get_by_role("link", name="Ledger", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="Top-up").filter(has_text="+1,000").nth(1)).to_be_visible()

    page.get_by_role("link", name="Auto top-up", exact=True).click()
    bought = page.get_by_role("row").filter(has_text="auto top-up").first
    for words in ("1,000 credits", "$10", "Paid"):
        expect(bought).to_contain_text(words)
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
