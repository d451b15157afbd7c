"""Publishing, retiring and drafting from the browser: confirmed first, and refused with a message."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from kernel.clock import utc_now
from plans.models import Plan, PlanVersion, RateCard, RateCardVersion

CONFIRMED = {"_form_submitted": "on"}


def press(staff: Client, action: str, pk: int, **form: str) -> list[str]:
    """Confirm an action's dialog; the messages it left."""
    answer = staff.post(reverse(f"admin:plans_{action}", args=[pk]), CONFIRMED | form)
    assert answer.status_code == 302
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    staff.cookies.pop("messages", None)
    return said


def test_publishing_asks_first(staff: Client, drafts: PlanVersion) -> None:
    answer = staff.get(reverse("admin:plans_planversion_publish", args=[drafts.pk]))
    assert answer.status_code == 200
    assert "Put this version on sale?" in answer.content.decode()
    assert "csrfmiddlewaretoken" in answer.content.decode()
    drafts.refresh_from_db()
    assert drafts.status == "draft"


def test_a_plan_goes_on_sale_with_its_card(staff: Client, drafts: PlanVersion) -> None:
    card = RateCardVersion.objects.get()
    assert press(staff, "ratecardversion_publish", card.pk) == ["standard v1 is published."]
    assert press(staff, "planversion_publish", drafts.pk) == ["pro v1 is on sale."]
    drafts.refresh_from_db()
    assert drafts.status == "published"
    assert drafts.published_at is not None


def test_a_refusal_is_a_message(staff: Client, drafts: PlanVersion) -> None:
    drafts.fallbacks.all().delete()
    said = press(staff, "planversion_publish", drafts.pk)
    assert len(said) == 2
    assert "rate card has no published version in force" in said[0]
    assert "chat downgrades: add a fallback model" in said[1]
    drafts.refresh_from_db()
    assert drafts.status == "draft"


def test_pressing_twice_is_a_message(staff: Client, on_sale: PlanVersion) -> None:
    assert press(staff, "planversion_publish", on_sale.pk) == [
        "Only a draft can be published or changed. pro v1 is published."
    ]


def test_htmx_is_sent_on(staff: Client, on_sale: PlanVersion) -> None:
    answer = staff.post(
        reverse("admin:plans_planversion_retire", args=[on_sale.pk]), CONFIRMED, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert answer["HX-Redirect"] == reverse("admin:plans_planversion_change", args=[on_sale.pk])
    on_sale.refresh_from_db()
    assert on_sale.status == "retired"


@pytest.mark.parametrize("button", ["planversion", "plan"])
def test_a_new_draft_is_a_copy(staff: Client, on_sale: PlanVersion, button: str) -> None:
    pk = on_sale.pk if button == "planversion" else on_sale.plan_id
    assert press(staff, f"{button}_new_draft", pk) == ["pro v2 is a draft now."]
    draft = PlanVersion.objects.get(number=2)
    assert draft.limits.count() == 2
    assert "There is a draft already" in press(staff, f"{button}_new_draft", pk)[0]


def test_a_card_in_use_starts_now_or_later(staff: Client, on_sale: PlanVersion) -> None:
    assert press(staff, "ratecard_new_draft", on_sale.rate_card_id) == ["standard v2 is a draft now."]
    draft = RateCardVersion.objects.get(number=2)
    RateCardVersion.objects.filter(pk=draft.pk).update(effective_from=utc_now() - timedelta(days=1))
    assert "cannot change prices of the past" in press(staff, "ratecardversion_publish", draft.pk)[0]
    assert press(staff, "ratecardversion_publish", draft.pk, start_now="on") == ["standard v2 is published."]


def test_a_plan_without_versions_is_sent_to_write_one(staff: Client, on_sale: PlanVersion) -> None:
    plan = Plan.objects.create(key="new", name="New")
    answer = staff.post(reverse("admin:plans_plan_new_draft", args=[plan.pk]), CONFIRMED)
    assert answer["Location"] == f"{reverse('admin:plans_planversion_add')}?plan={plan.pk}"
    assert staff.get(answer["Location"]).status_code == 200
    card = RateCard.objects.create(key="new", name="New")
    answer = staff.post(reverse("admin:plans_ratecard_new_draft", args=[card.pk]), CONFIRMED)
    assert answer["Location"] == f"{reverse('admin:plans_ratecardversion_add')}?card={card.pk}"
    assert staff.get(answer["Location"]).status_code == 200


def test_nothing_sold_can_be_deleted(staff: Client, on_sale: PlanVersion, card_version: RateCardVersion) -> None:
    for name, pk in (
        ("planversion", on_sale.pk),
        ("plan", on_sale.plan_id),
        ("ratecardversion", card_version.pk),
        ("ratecard", card_version.card_id),
    ):
        assert staff.post(reverse(f"admin:plans_{name}_delete", args=[pk]), {"post": "yes"}).status_code == 403
    assert PlanVersion.objects.exists()


@pytest.mark.parametrize("action", ["planversion_publish", "planversion_retire", "ratecardversion_publish"])
def test_a_version_that_is_not_there_is_not_a_crash(staff: Client, db: None, action: str) -> None:
    answer = staff.post(reverse(f"admin:plans_{action}", args=[999]), CONFIRMED)
    assert answer.status_code == 404
    assert staff.post(reverse(f"admin:plans_{action}", args=["x"]), CONFIRMED).status_code == 404
