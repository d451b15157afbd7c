"""What staff and developers see, in a real browser on a whole service with the demo company in it."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser import Visit


def test_only_staff_come_in(visitor: Visit) -> None:
    visitor.go("/margins/")
    expect(visitor.page.get_by_label("Username")).to_be_visible()
    visitor.sign_in()
    visitor.go("/margins/")
    expect(visitor.page.locator("#content").get_by_role("heading", name="Margins")).to_be_visible()


def test_the_margin_page_puts_losses_first_and_draws_the_trend(staff: Visit) -> None:
    staff.go("/margins/")
    rows = staff.page.locator("#customers tbody tr")
    expect(rows).to_have_count(40)
    expect(rows.first).to_contain_text("hungry-otter-games")
    expect(rows.first).to_contain_text(re.compile(r"−\$\d+\.\d\d"))
    chart = staff.page.locator("figure svg").first
    expect(chart).to_be_visible()
    assert chart.locator("rect").count() >= 30
    # Usage of a model nobody has a price for is never taken for free.
    expect(staff.page.get_by_text("cirrus-halo-1-preview").first).to_be_visible()


def test_a_customers_margin_is_cut_by_feature_model_and_day(staff: Visit) -> None:
    staff.go("/margins/")
    staff.page.get_by_role("link", name="Hungry Otter Games").click()
    expect(staff.page.get_by_role("heading", name="Hungry Otter Games").last).to_be_visible()
    for cut in ("By feature", "By model", "By day"):
        expect(staff.page.get_by_role("heading", name=cut)).to_be_visible()
    expect(
        staff.page.get_by_role("cell", name="code-agent").or_(staff.page.get_by_role("rowheader", name="code-agent"))
    ).to_be_visible()


def test_a_draft_is_changed_and_put_on_sale(staff: Visit) -> None:
    page = staff.page
    staff.go("/admin/plans/plan/")
    page.get_by_role("link", name="team", exact=True).click()
    action(page, "New draft").click()
    page.get_by_role("button", name="Make a draft").click()
    expect(page.get_by_text(re.compile(r"team v\d+ is a draft now"))).to_be_visible()

    page.locator("input[name=price_0]").fill("119")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text(re.compile("was changed successfully"))).to_be_visible()
    expect(page.locator("input[name=price_0]")).to_have_value(re.compile(r"^119(\.0+)?$"))

    action(page, "Publish").click()
    expect(page.get_by_text(re.compile("The audit found"))).to_be_visible()
    why = page.get_by_label("Why it is sold all the same")
    if why.count():  # What was used of late decides whether the audit finds that the plan can lose money.
        why.fill("The launch price, until spring.")
    page.get_by_role("button", name="Publish").last.click()
    expect(page.get_by_text(re.compile(r"team v\d+ is on sale"))).to_be_visible()
    # Published is for good: what was a form is now a page to read.
    expect(page.locator("input[name=price_0]")).to_have_count(0)
    expect(page.get_by_text("119 USD")).to_be_visible()


def action(page: Page, name: str) -> Locator:
    """One of the actions at the head of a page; its text begins with the name of its icon."""
    return page.locator("a, button").filter(has_text=re.compile(rf"{name}\s*$")).first


def test_the_preview_says_what_an_action_costs_before_anyone_pays_it(staff: Visit) -> None:
    page = staff.page
    staff.go("/admin/plans/ratecardversion/preview/")
    choose(page, "prices", "standard v1")
    choose(page, "feature", "Chat")
    page.locator("input[name=model]").fill("gpt-5-mini-2025-08-07")
    page.locator("input[name=input_tokens]").fill("1000000")
    page.locator("input[name=output_tokens]").fill("1000")
    page.get_by_role("button", name="What does it cost?").click()
    expect(page.get_by_text("gpt-5-mini", exact=True)).to_be_visible()
    # 80 credits for a million in, 400 per million out.
    expect(page.get_by_role("cell", name="80.4").last).to_be_visible()


def choose(page: Page, name: str, beginning: str) -> None:
    """Choose the option of a select that begins so."""
    options = page.locator(f"select[name={name}] option")
    value = options.filter(has_text=re.compile(f"^{re.escape(beginning)}")).first.get_attribute("value")
    page.locator(f"select[name={name}]").select_option(value)


def test_the_catalogue_is_there_to_be_searched(staff: Visit) -> None:
    staff.go("/admin/plans/aimodel/?q=opus")
    expect(staff.page.get_by_role("link", name="claude-opus-5-5")).to_be_visible()
    staff.go("/admin/plans/topuppack/")
    expect(staff.page.get_by_role("link", name="medium")).to_be_visible()


def test_the_api_documentation_is_drawn_from_this_machine_alone(visitor: Visit) -> None:
    visitor.go("/docs/")
    for path in ("/v1/check", "/v1/usage", "/v1/customers/{key}/balance"):
        expect(visitor.page.locator(f'[data-path="{path}"]').first).to_be_visible()
    visitor.page.locator('[data-path="/v1/check"]').first.click()
    expect(visitor.page.get_by_text("May this customer do this now?").first).to_be_visible()


def test_a_laptop_shows_the_whole_table_of_customers(staff: Visit) -> None:
    staff.go("/margins/")
    table = staff.page.locator(".scroll").filter(has=staff.page.locator(".sparkline"))
    assert table.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_the_request_bodies_shown_work_as_they_are(visitor: Visit) -> None:
    page = visitor.page
    visitor.go("/docs/")
    page.get_by_role("button", name="Authorize").click()
    page.locator(".auth-container input").fill(visitor.service.api_key)
    page.locator(".auth-container").get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close", exact=True).click()
    page.locator('[data-path="/v1/check"]').first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    answer = page.locator(".live-responses-table td.response-col_description:not(.col_header)")
    expect(answer).to_contain_text('"decision": "allow"')
    expect(answer).to_contain_text('"hold_')


def test_narrow_screens_scroll_tables_and_not_the_page(staff: Visit) -> None:
    staff.page.set_viewport_size({"width": 390, "height": 844})
    staff.go("/margins/")
    width = staff.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


TOPICS = ("bridge", "people", "features", "savings", "runs", "checklist", "report")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_margin_page_fits_a_phone_in_both_colours(staff: Visit, colours: Literal["light", "dark"]) -> None:
    staff.page.emulate_media(color_scheme=colours)
    staff.page.set_viewport_size({"width": 375, "height": 812})
    for path in ("", *(f"{topic}/" for topic in TOPICS)):
        staff.go(f"/margins/{path}")
        expect(staff.page.locator(".margins h1")).to_have_count(1)
        assert staff.page.evaluate("document.documentElement.scrollWidth") <= 375, path


def test_the_dashboard_leads_to_each_topic_and_back_with_the_keyboard(staff: Visit) -> None:
    page = staff.page
    staff.go("/margins/")
    sections = page.get_by_role("navigation", name="Margin pages")
    sections.get_by_role("link", name="People").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".margins h1", has_text="Who holds the cost")).to_be_visible()
    expect(sections.get_by_role("link", name="People")).to_have_attribute("aria-current", "page")
    page.get_by_text("The chart as a table").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("rowheader", name="5 % of users")).to_be_visible()
    page.get_by_role("link", name="hungry-otter-games").first.click()
    expect(page.locator(".margins h1", has_text="Hungry Otter Games")).to_be_visible()


def test_a_saving_leads_to_the_calls_it_is_about(staff: Visit) -> None:
    staff.go("/margins/savings/")
    staff.page.get_by_role("link", name="summarise-documents · summarise").first.click()
    expect(staff.page).to_have_url(re.compile("/admin/entitlements/usageline/.*feature__id__exact="))
    expect(staff.page.get_by_role("row").filter(has_text="summarise").first).to_be_visible()


def test_the_report_prints_a_page_a_topic(staff: Visit) -> None:
    staff.go("/margins/report/")
    topics = staff.page.locator(".sheet").count()
    printed = staff.page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) == topics
    staff.page.emulate_media(media="print")
    expect(staff.page.get_by_role("link", name="Back to the margins")).to_be_hidden()
