"""Every way to put a plan on sale asks the audit first, and keeps who sold what it spoke against."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from access.services.api_keys import create_key
from plans import problems
from plans.auditing import Acknowledged
from plans.catalogue_file.applying import apply_catalogue
from plans.catalogue_file.problems import CatalogueRefused
from plans.models import Feature, PlanAcknowledgement, PlanVersion, RateCardVersion
from plans.services.publishing import new_plan_draft, publish_plan_version, publish_rate_card_version
from tests.margins.plan_audit.catalogues import KEEPS, LOSES

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
WHY = "It is the launch offer, until Christmas."


@pytest.fixture
def loser() -> PlanVersion:
    """The draft of a plan whose credits cost more than they earn."""
    apply_catalogue(LOSES, publish=False, now=NOON)
    publish_rate_card_version(RateCardVersion.objects.get().pk, now=NOON)
    return PlanVersion.objects.get()


def is_on_sale() -> bool:
    return PlanVersion.objects.get().status == "published"


def test_a_plan_that_keeps_its_margin_needs_no_word() -> None:
    apply_catalogue(KEEPS, publish=True, now=NOON)
    assert is_on_sale()
    assert not PlanAcknowledgement.objects.exists()


def test_a_plan_that_loses_money_is_refused_with_its_findings(loser: PlanVersion) -> None:
    with pytest.raises(problems.AcknowledgementNeeded) as refusal:
        publish_plan_version(loser.pk, now=NOON)
    codes = [(finding["severity"], finding["code"]) for finding in refusal.value.extra["findings"]]
    assert codes == [("blocking", "tier_below_cost"), ("warning", "worst_case_loses")]
    assert "0.0015 USD a credit, and a credit earns 0.00029 USD" in refusal.value.detail
    assert not is_on_sale()


@pytest.mark.parametrize(
    "acknowledged",
    [Acknowledged("finance", "  "), Acknowledged("finance", WHY, frozenset({"pack_below_cost"}))],
    ids=["without a reason", "of something else"],
)
def test_it_stays_refused(loser: PlanVersion, acknowledged: Acknowledged) -> None:
    with pytest.raises(problems.AcknowledgementNeeded):
        publish_plan_version(loser.pk, now=NOON, acknowledged=acknowledged)


def test_an_acknowledgement_stays_with_the_version(loser: PlanVersion) -> None:
    publish_plan_version(loser.pk, now=NOON, acknowledged=Acknowledged("finance", f" {WHY} "))
    made = PlanAcknowledgement.objects.get(plan_version=loser)
    assert (made.actor, made.reason, made.made_at) == ("finance", WHY, NOON)
    (finding,) = made.findings
    assert (finding["code"], finding["models"]) == ("tier_below_cost", ["gpt-4o-mini"])
    for change in (made.delete, lambda: PlanAcknowledgement.objects.update(reason="Never mind.")):
        with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
            change()


def test_the_next_version_is_asked_anew(loser: PlanVersion) -> None:
    publish_plan_version(loser.pk, now=NOON, acknowledged=Acknowledged("finance", WHY))
    draft = new_plan_draft(loser.plan_id)
    with pytest.raises(problems.AcknowledgementNeeded):
        publish_plan_version(draft.pk, now=NOON)


def test_a_catalogue_file_is_applied_with_a_reason_or_not_at_all() -> None:
    with pytest.raises(CatalogueRefused) as refusal:
        apply_catalogue(LOSES, publish=True, now=NOON)
    assert (
        "plans.pro v1 cannot be published: economy: an ordinary call of chat on gpt-4o-mini" in refusal.value.faults[0]
    )
    assert "--acknowledge" in refusal.value.faults[-1]
    assert not Feature.objects.exists()
    apply_catalogue(LOSES, publish=True, now=NOON, acknowledged=Acknowledged("finance", WHY))
    assert is_on_sale()


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, no_color=True)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.yaml"
    path.write_text(LOSES)
    return path


def test_diff_shows_what_would_be_found_and_leaves_nothing(file: Path) -> None:
    shown = run("catalogue", "diff", str(file), "--publish")
    assert "! plans.pro v1 blocking tier_below_cost: economy: an ordinary call" in shown
    assert "    Raise the rates of economy on the rate card" in shown
    assert not Feature.objects.exists()
    assert "tier_below_cost" not in run("catalogue", "diff", str(file)), "a draft is nobody's loss yet"


def test_apply_takes_the_reason_on_the_command_line(file: Path) -> None:
    with pytest.raises(CommandError, match="can lose money"):
        run("catalogue", "apply", str(file), "--publish")
    run("catalogue", "apply", str(file), "--publish", "--acknowledge", WHY, "--by", "finance")
    assert is_on_sale()
    assert PlanAcknowledgement.objects.get().actor == "finance"


@pytest.fixture
def staff() -> Client:
    browser = Client()
    browser.force_login(User.objects.create(username="founder", is_staff=True, is_superuser=True))
    return browser


def test_the_dialog_shows_the_findings_and_asks_why(staff: Client, loser: PlanVersion) -> None:
    address = reverse("admin:plans_planversion_publish", args=[loser.pk])
    page = staff.get(address).content.decode()
    assert "tier_below_cost" in page
    assert "Why it is sold all the same" in page
    codes = {"_form_submitted": "on", "codes": "tier_below_cost"}
    assert "Say why it is sold all the same" in staff.post(address, codes).content.decode()
    assert not is_on_sale()
    staff.post(address, codes | {"acknowledgement": WHY})
    made = PlanAcknowledgement.objects.get()
    assert (is_on_sale(), made.actor, made.reason) == (True, "founder", WHY)
    page = staff.get(reverse("admin:plans_planversion_change", args=[loser.pk])).content.decode()
    assert f"tier_below_cost: {WHY} (founder" in page


def test_the_dialog_of_a_plan_that_keeps_its_margin_asks_nothing(staff: Client) -> None:
    apply_catalogue(KEEPS, publish=False, now=NOON)
    publish_rate_card_version(RateCardVersion.objects.get().pk, now=NOON)
    address = reverse("admin:plans_planversion_publish", args=[PlanVersion.objects.get().pk])
    assert "Why it is sold" not in staff.get(address).content.decode()
    staff.post(address, {"_form_submitted": "on"})
    assert is_on_sale()


def client(*scopes: str) -> Client:
    _, token = create_key("backend", scopes, NOON)
    return Client(headers={"authorization": f"Bearer {token}"})


def post(to: Client, **body: Any) -> Any:
    return to.post("/v1/plans/pro/publish", body, content_type="application/json")


def test_the_api_publishes_with_an_acknowledgement(loser: PlanVersion) -> None:
    admin = client("admin")
    refused = post(admin)
    assert (refused.status_code, refused.json()["code"]) == (409, "acknowledgement_needed")
    assert refused.json()["findings"][0]["code"] == "tier_below_cost"
    sold = post(admin, acknowledgement=WHY, by="finance", version=1)
    assert (sold.status_code, sold.json()["version"]["number"]) == (200, 1)
    assert PlanAcknowledgement.objects.get().actor.startswith("finance, key ")
    assert post(admin).json()["code"] == "draft_unknown"


def test_the_api_publishes_the_draft_that_is_meant(loser: PlanVersion) -> None:
    assert post(client("admin"), version=2).json()["code"] == "draft_unknown"
    assert post(client("read")).status_code == 403
    assert post(client("admin"), version="x").json()["field"] == "version"
