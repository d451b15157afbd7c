"""The audit of plans as they are stored: real use, real calls, and how it is asked for."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from moneyed import Money

from margins.models import FxRate
from margins.plan_audit.loading import audit_version, find_version
from margins.plan_audit.terms import Burn
from plans.catalogue_file.applying import apply_catalogue
from plans.models import PlanVersion
from plans.services.publishing import new_plan_draft
from tests import accounts
from tests.margins.books import cost_line
from tests.margins.plan_audit.catalogues import KEEPS
from tests.world import CREDIT, Actor

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def pro() -> PlanVersion:
    apply_catalogue(KEEPS, publish=True, now=NOON)
    return PlanVersion.objects.select_related("plan").get()


def spent(pro: PlanVersion, *dollars: int) -> None:
    """A subscriber for each, who cost so many dollars for ten times as many credits."""
    for number, cost in enumerate(dollars):
        actor = Actor(f"c{number}", NOON, pro)
        fact = accounts.fact("e", at=NOON, stated_microcredits=10 * cost * CREDIT, reported_cost_nanousd=cost * 10**9)
        if cost:
            actor.uses(fact)


def test_the_half_way_and_the_heavy_subscriber_by_nearest_rank(pro: PlanVersion) -> None:
    """Of 0, 1, … 20 dollars: the 11th of 21 and the 20th."""
    spent(pro, *reversed(range(21)))
    use = audit_version(pro, now=NOON).use
    assert use is not None
    assert use.subscribers == 21
    assert use.p50 == Burn(100 * CREDIT, 10 * 10**9)
    assert use.p95 == Burn(190 * CREDIT, 19 * 10**9)


def test_who_left_is_no_subscriber_and_old_use_is_not_of_this_month(pro: PlanVersion) -> None:
    spent(pro, 5)
    assert audit_version(pro, now=NOON + timedelta(days=30)).use is None
    use = audit_version(pro, now=NOON + timedelta(days=29)).use
    assert use is not None
    assert use.p50 == use.p95 == Burn(50 * CREDIT, 5 * 10**9)


def test_a_draft_is_measured_by_those_who_have_the_plan(pro: PlanVersion) -> None:
    spent(pro, 40)
    draft = new_plan_draft(pro.plan_id)
    audit: Any = audit_version(draft, now=NOON)
    assert (audit.plan.number, audit.p50.cost_nano) == (2, 40 * 10**9)
    assert [finding.code for finding in audit.findings] == ["typical_customer_loses", "heavy_customer_loses"]


def test_an_ordinary_call_is_the_mean_of_real_ones_once_there_are_enough(pro: PlanVersion) -> None:
    actor = Actor("acme", NOON, pro)
    actor.uses(*(accounts.fact(f"e{number}", at=NOON) for number in range(19)))
    assert audit_version(pro, now=NOON).options[0].typical.usage.input_tokens == 3_000  # type: ignore[union-attr]
    actor.uses(accounts.fact("e19", at=NOON))
    usage = audit_version(pro, now=NOON).options[0].typical.usage  # type: ignore[union-attr]
    assert (usage.input_tokens, usage.output_tokens) == (1_000, 100)


def test_our_other_costs_count_where_they_are_of_everyone_or_of_the_plan(pro: PlanVersion) -> None:
    before = audit_version(pro, now=NOON).p50.cost_nano
    cost_line("hosting", "per_customer", "8")
    cost_line("support", "per_customer", "5", plan=pro.plan)
    cost_line("special", "per_customer", "3", customer=Actor("acme", NOON).row)
    after = audit_version(pro, now=NOON).p50.cost_nano
    assert before is not None
    assert after is not None
    assert after - before == 13 * 10**9


def test_a_plan_in_euros_is_compared_at_the_days_rate(pro: PlanVersion) -> None:
    """29 EUR for 1,000 credits, 0.0015 USD each at 1.25 USD the euro: 1.2 of 29 EUR."""
    draft = new_plan_draft(pro.plan_id)
    draft.price = Money(29, "EUR")
    draft.save()
    (unknown,) = audit_version(draft, now=NOON).findings
    assert unknown.code == "no_exchange_rate"
    FxRate.objects.create(currency="EUR", into="USD", day=NOON.date(), rate="1.25", source="bank")
    audit = audit_version(draft, now=NOON)
    assert (audit.currency, audit.findings) == ("EUR", ())
    assert audit.dearest.cost_nano == 1_200_000_000


def test_without_a_number_the_draft_is_meant_else_what_is_on_sale(pro: PlanVersion) -> None:
    assert find_version("pro") == pro
    draft = new_plan_draft(pro.plan_id)
    assert find_version("pro") == draft
    assert find_version("pro", 1) == pro


def test_the_api_answers_with_cases_and_findings(pro: PlanVersion, api: Callable[..., Any]) -> None:
    body = api("/plans/pro/audit").json()
    assert (body["plan"], body["version"], body["status"], body["credit_earns"]) == ("pro", 1, "published", "0.029")
    # 1,000 credits at 0.15 USD for 100: long inputs and long outputs cost the same a credit here.
    assert (body["worst_cost"]["cost"], body["worst_cost"]["margin"]) == ("1.5", "27.5")
    assert body["worst_cost"]["held_back_by"] == ["included credits"]
    assert body["worst_cost"]["margin_ratio"] == "0.948276"
    assert (body["p50"]["cost"], body["measured_subscribers"], body["findings"]) == ("0.75", None, [])


@pytest.mark.parametrize(
    ("path", "query", "status", "code", "field"),
    [
        ("/plans/none/audit", {}, 404, "plan_unknown", None),
        ("/plans/pro/audit", {"version": "9"}, 404, "plan_unknown", None),
        ("/plans/pro/audit", {"version": "x"}, 422, "invalid_input", "version"),
        ("/plans/pro/audit", {"version": "0"}, 422, "invalid_input", "version"),
        ("/plans/pro/audit", {"on": "x"}, 422, "invalid_input", "on"),
    ],
)
def test_what_is_not_there_is_said(
    pro: PlanVersion, api: Callable[..., Any], path: str, query: Any, status: int, code: str, field: str | None
) -> None:
    answer = api(path, **query)
    assert (answer.status_code, answer.json()["code"], answer.json().get("field")) == (status, code, field)


def audit_plan(*arguments: str) -> str:
    out = io.StringIO()
    call_command("audit_plan", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def test_the_command_prints_it(pro: PlanVersion) -> None:
    said = audit_plan("pro@1", "--exit-code")
    assert "pro v1 (published), one customer, one month" in said
    assert "worst cost                1.50         29.00     94.8%" in said
    assert "Nothing speaks against it." in said
    for wrong in ("pro@2", "pro@x", "other"):
        with pytest.raises(CommandError) as refusal:
            audit_plan(wrong)
        assert refusal.value.returncode == 2


def test_the_command_can_fail_a_pipeline(pro: PlanVersion) -> None:
    draft = new_plan_draft(pro.plan_id)
    PlanVersion.objects.filter(pk=draft.pk).update(included_microcredits=100_000 * CREDIT)
    assert "blocking tier_below_cost: economy" in audit_plan("pro")
    with pytest.raises(SystemExit) as stop:
        audit_plan("pro", "--exit-code")
    assert stop.value.code == 1
