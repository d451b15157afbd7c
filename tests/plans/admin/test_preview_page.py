"""What an action costs, asked in the browser."""

from django.test import Client
from django.urls import reverse

from plans.models import PlanVersion, RateCardVersion


def asked(staff: Client, **query: str | int) -> str:
    answer = staff.get(reverse("admin:plans_preview"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_empty_page_offers_every_card_and_plan(staff: Client, on_sale: PlanVersion) -> None:
    page = asked(staff)
    assert "standard v1 · published" in page
    assert "pro v1 · published" in page
    assert 'value="gpt-5-mini"' in page


def test_a_charge_is_explained_line_by_line(staff: Client, card_version: RateCardVersion) -> None:
    page = asked(
        staff, prices=f"version:{card_version.pk}", feature="chat", model="openai/gpt-5-2025-08-07",
        input_tokens=1234, cache_read_tokens=1000, web_searches=1, output_tokens=10,
    )  # fmt: skip
    # 0.5 + 1234 × 1000/M + 2: the cached tokens have no rate of their own, output has none at all.
    for shown in (
        "chat · premium",
        "1,234",
        "1000 per 1M",
        "2 each",
        "1.234",
        "no rate: free",
        "3.734",
        "rounded up to 0.001",
    ):
        assert shown in page, shown


def test_a_draft_and_a_plan_have_prices_too(staff: Client, drafts: PlanVersion) -> None:
    version = RateCardVersion.objects.get()
    draft = {"feature": "chat", "model": "gpt-5-mini", "input_tokens": 1000}
    assert "0.1" in asked(staff, prices=f"version:{version.pk}", **draft)
    assert "No version of a rate card" in asked(staff, prices=f"plan:{drafts.pk}", **draft)
    version.status, version.published_at = "published", version.effective_from
    version.save()
    assert "tier_key" not in asked(staff, prices=f"plan:{drafts.pk}", **draft)


def test_refusals_are_said_in_the_page(staff: Client, card_version: RateCardVersion) -> None:
    prices = f"version:{card_version.pk}"
    assert "No model of the catalogue has the id" in asked(staff, prices=prices, feature="chat", model="gpt-9")
    assert "has no rate for chat without a model" in asked(staff, prices=prices, feature="chat")


def test_counts_that_contradict_each_other_come_back(staff: Client, card_version: RateCardVersion) -> None:
    page = asked(
        staff, prices=f"version:{card_version.pk}", feature="chat", model="gpt-5", input_tokens=5, cache_read_tokens=6
    )
    assert "is smaller than the parts it contains" in page
    page = asked(staff, prices="version:999", feature="nothing", input_tokens="-1")
    assert "Select a valid choice" in page


def test_the_links_lead_there(staff: Client, card_version: RateCardVersion) -> None:
    answer = staff.get(reverse("admin:plans_ratecardversion_preview", args=[card_version.pk]))
    assert answer["Location"] == f"{reverse('admin:plans_preview')}?version={card_version.pk}"
    assert f'value="version:{card_version.pk}" selected' in staff.get(answer["Location"]).content.decode()
    assert staff.get(reverse("admin:plans_ratecard_preview")).status_code == 302
