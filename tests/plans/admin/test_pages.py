"""Every page opens, for drafts and for what is published, and shows credits as people write them."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from plans.models import AIModel, PlanVersion, RateCard, RateCardVersion, TopUpPack

SIDEBAR = ("plan", "feature", "modeltier", "aimodel", "ratecard", "topuppack")
ALL = (*SIDEBAR, "planversion", "ratecardversion")


@pytest.mark.parametrize("model", ALL)
def test_lists_and_add_forms_open(model: str, staff: Client, on_sale: PlanVersion) -> None:
    assert staff.get(reverse(f"admin:plans_{model}_changelist")).status_code == 200
    assert staff.get(reverse(f"admin:plans_{model}_add")).status_code == 200


@pytest.mark.parametrize("model", SIDEBAR)
def test_lists_are_searched(model: str, staff: Client, on_sale: PlanVersion) -> None:
    assert staff.get(reverse(f"admin:plans_{model}_changelist"), {"q": "o"}).status_code == 200


def page_of(staff: Client, row: object) -> str:
    name = type(row).__name__.lower()
    answer = staff.get(reverse(f"admin:plans_{name}_change", args=[row.pk]))  # type: ignore[attr-defined]
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_published_plan_version_is_a_page_to_read(staff: Client, on_sale: PlanVersion) -> None:
    page = page_of(staff, on_sale)
    assert 'name="_save"' not in page
    assert 'name="price_0"' not in page
    assert ">1,000<" in page.replace("\n", "").replace(" ", "")
    assert "250.5" in page
    assert "1000000000" not in page
    assert "2500000000" not in page
    assert f"{on_sale.published_at:%Y-%m-%d %H:%M}<" in "".join(page.split("\n")), "an instant that fits on one line"
    assert not re.search(r"<(div|td|span)[^>]*>\s*-\s*<", page), "nothing looks the same in every cell"
    assert "Retire" in page
    assert "New draft" in page
    assert f"/{on_sale.pk}/publish/" not in page


def test_a_draft_is_a_form_in_credits(staff: Client, drafts: PlanVersion) -> None:
    page = page_of(staff, drafts)
    assert 'name="_save"' in page
    assert 'name="included_microcredits" value="1000"' in page
    assert 'name="rollover_max_microcredits" value="250.5"' in page
    assert 'value="2.5"' in page
    assert f"/{drafts.pk}/publish/" in page
    assert f"/{drafts.pk}/retire/" not in page


def test_a_published_rate_card_is_a_price_list(staff: Client, card_version: RateCardVersion) -> None:
    page = page_of(staff, card_version)
    assert 'name="_save"' not in page
    assert "web_searches 2 each" in page
    assert "1000000000" not in page
    assert "0.001" in page


def test_a_draft_rate_card_is_a_form_in_credits(staff: Client, drafts: PlanVersion) -> None:
    page = page_of(staff, RateCardVersion.objects.get())
    assert 'name="rates-0-input_tokens" value="100"' in page
    assert 'name="rates-1-action_microcredits" value="0.5"' in page
    assert "web_searches 2 each" in page


def test_other_pages_open(staff: Client, on_sale: PlanVersion) -> None:
    assert "v1" in page_of(staff, on_sale.plan)
    assert "v1" in page_of(staff, RateCard.objects.get())
    assert "big" in page_of(staff, AIModel.objects.get(key="gpt-5"))
    assert 'value="1000"' in page_of(staff, TopUpPack.objects.get())
    assert "0.0095 USD" in staff.get(reverse("admin:plans_topuppack_changelist")).content.decode()


@pytest.mark.parametrize("model", ALL)
def test_strangers_are_sent_away(model: str, client: Client, db: None) -> None:
    answer = client.get(reverse(f"admin:plans_{model}_changelist"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:login"))
    assert client.get(reverse("admin:plans_preview")).status_code == 302


def test_a_reader_cannot_publish(client: Client, drafts: PlanVersion) -> None:
    reader = User.objects.create(username="reader", is_staff=True)
    reader.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
    client.force_login(reader)
    page = client.get(reverse("admin:plans_planversion_change", args=[drafts.pk])).content.decode()
    assert f"/{drafts.pk}/publish/" not in page
    answer = client.post(reverse("admin:plans_planversion_publish", args=[drafts.pk]), {"_form_submitted": "on"})
    assert answer.status_code == 403
    drafts.refresh_from_db()
    assert drafts.status == "draft"
