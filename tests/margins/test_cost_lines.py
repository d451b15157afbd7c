"""Cost lines are dated history: what the database refuses, and what staff see of it."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from moneyed import Money

from margins.models import CostLine
from tests.margins.books import cost_line, feature, plan

pytestmark = pytest.mark.django_db


def refusal(action: Any) -> str:
    """The name of the rule that refuses the action."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        action()
    name: str = caught.value.__cause__.diag.constraint_name  # type: ignore[union-attr]
    return name


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        ({"amount": None}, "cost_line_has_what_its_basis_needs"),
        ({"percent": 3}, "cost_line_has_what_its_basis_needs"),
        ({"basis": "percent_of_revenue"}, "cost_line_has_what_its_basis_needs"),
        ({"basis": "per_moon"}, "cost_line_basis_is_known"),
        ({"amount": Money(-1, "USD")}, "cost_line_amount_is_not_negative"),
        ({"basis": "percent_of_revenue", "amount": None, "percent": 101}, "cost_line_percent_is_a_share"),
        ({"ends_on": date(2025, 12, 31)}, "cost_line_ends_after_it_starts"),
        ({"key": "inference"}, "cost_line_is_not_inference"),
        ({"basis": "per_seat"}, "cost_line_per_seat_says_how_many"),
        ({"seats": 5}, "cost_line_per_seat_says_how_many"),
        ({"basis": "shared"}, "cost_line_shared_says_by_what"),
        ({"shared_by": "calls"}, "cost_line_shared_says_by_what"),
        ({"meter": "output_tokens"}, "cost_line_meter_is_of_tokens"),
        ({"basis": "per_million_tokens", "meter": "moons"}, "cost_line_meter_is_of_tokens"),
        ({"basis": "per_payment", "amount": None}, "cost_line_has_what_its_basis_needs"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(parts: dict[str, Any], rule: str) -> None:
    usual = {"key": "hosting", "basis": "per_customer", "amount": Money(8, "USD"), "starts_on": date(2026, 1, 1)}
    assert refusal(lambda: CostLine.objects.create(**(usual | parts))) == rule


def test_a_cost_per_customer_is_of_no_feature() -> None:
    rule = refusal(lambda: cost_line("hosting", "per_customer", "8", feature=feature("chat")))
    assert rule == "cost_line_of_a_feature_counts_usage"


def test_a_lines_figures_never_change() -> None:
    line = cost_line("hosting", "per_customer", "8")
    for change in ({"amount": 9}, {"starts_on": date(2026, 2, 1)}, {"key": "servers"}, {"plan": plan("pro").plan}):
        rule = refusal(lambda change=change: CostLine.objects.filter(pk=line.pk).update(**change))
        assert rule == "cost_line_keeps_its_history"
    assert refusal(line.delete) == "cost_line_keeps_its_history"


def test_a_line_may_be_ended_renamed_and_followed_by_another() -> None:
    line = cost_line("hosting", "per_customer", "8")
    line.ends_on, line.name, line.note = date(2026, 7, 1), "Servers", "moved"
    line.save()
    cost_line("hosting", "per_customer", "9", starts_on=date(2026, 7, 1))
    assert CostLine.objects.filter(key="hosting").count() == 2


def test_the_same_line_holds_once_a_day_but_other_selections_may_add_to_it() -> None:
    cost_line("hosting", "per_customer", "8", ends_on=date(2026, 6, 1))
    assert (
        refusal(lambda: cost_line("hosting", "per_customer", "9", starts_on=date(2026, 5, 31)))
        == "cost_line_holds_once"
    )
    cost_line("hosting", "per_customer", "1", plan=plan("pro").plan)
    cost_line("hosting", "per_call", "1")
    mistake = cost_line("hosting", "per_customer", "80", starts_on=date(2026, 6, 1))
    mistake.ends_on = mistake.starts_on
    mistake.save()
    cost_line("hosting", "per_customer", "8", starts_on=date(2026, 6, 1))


FORM = {
    "key": "hosting",
    "name": "Hosting",
    "basis": "per_customer",
    "amount_0": "8",
    "amount_1": "USD",
    "starts_on": "2026-01-01",
}


class TestAdmin:
    """Where staff keep the lines."""

    add = "/admin/margins/costline/add/"

    def test_a_line_is_added_and_listed(self, staff: Client) -> None:
        response = staff.post(self.add, FORM)
        assert response.status_code == 302, response.content.decode()[:2000]
        page = staff.get(reverse("admin:margins_costline_changelist")).content.decode()
        assert "Hosting" in page
        assert "8 USD" in page

    def test_a_percentage_needs_no_amount(self, staff: Client) -> None:
        fees = FORM | {"key": "fees", "basis": "percent_of_revenue", "amount_0": "", "percent": "2.9"}
        assert staff.post(self.add, fees).status_code == 302
        assert "2.9 %" in staff.get(reverse("admin:margins_costline_changelist")).content.decode()

    @pytest.mark.parametrize(
        ("parts", "message"),
        [
            ({"starts_on": "2026-03-01"}, "hosting already holds from 2026-01-01 on"),
            ({"key": "fees", "basis": "percent_of_revenue"}, "needs a percentage and no amount"),
            ({"key": "inference"}, "Inference comes from usage itself"),
            ({"key": "late", "ends_on": "2025-01-01"}, "cannot end before it starts"),
        ],
    )
    def test_a_form_says_what_is_wrong(self, staff: Client, parts: dict[str, str], message: str) -> None:
        cost_line("hosting", "per_customer", "8")
        response = staff.post(self.add, FORM | parts)
        assert response.status_code == 200
        assert message in response.content.decode()

    def test_a_saved_line_can_only_be_ended_renamed_or_annotated(self, staff: Client) -> None:
        line = cost_line("hosting", "per_customer", "8")
        change = reverse("admin:margins_costline_change", args=[line.pk])
        page = staff.get(change).content.decode()
        assert 'name="amount_0"' not in page
        assert 'name="ends_on"' in page
        assert staff.post(change, FORM | {"amount_0": "99", "ends_on": "2026-12-01"}).status_code == 302
        line.refresh_from_db()
        assert (line.amount, line.ends_on) == (Money(8, "USD"), date(2026, 12, 1))
        assert staff.post(reverse("admin:margins_costline_delete", args=[line.pk])).status_code == 403
