"""The checklist's answers, from what is known by hand and from a database."""

from collections.abc import Callable
from typing import Any

import pytest

from margins.checklist.answers import Answer, Known, Links, PlanFacts, Status, answers
from tests.margins.books import Books, at, cost_line
from tests.world import World

LINKS = Links(*("/x",) * len(Links._fields))
GOOD = PlanFacts("pro", ("chat",), (), (), ("daily",), (), True, True)


def known(**parts: Any) -> Known:
    usual: dict[str, Any] = {
        "calls": 1000, "unpriced_calls": 0, "unrated_calls": 0, "named_calls": 1000, "cost_lines": 2, "customers": 3,
        "losing": 0, "p95_covered": True, "input_tokens": 100, "cache_read_tokens": 10,
        "features_without_benefit": (), "plans": (GOOD,),
    }  # fmt: skip
    return Known(**(usual | parts))


def answered(**parts: Any) -> dict[str, Answer]:
    return {one.key: one for one in answers(known(**parts), LINKS)}


def test_a_house_in_order_answers_everything_with_yes() -> None:
    assert {one.status for one in answered().values()} == {Status.YES}


@pytest.mark.parametrize(
    ("key", "parts", "status", "evidence"),
    [
        ("metering_complete", {"unpriced_calls": 10}, Status.YES, "990 of 1,000 calls are priced (99.0 %)."),
        ("metering_complete", {"unpriced_calls": 11}, Status.PARTLY, "(98.9 %)"),
        ("metering_complete", {"unpriced_calls": 101}, Status.NO, "899 of 1,000"),
        ("metering_complete", {"calls": 0}, Status.UNKNOWN, "No calls"),
        ("charging_complete", {"unrated_calls": 500}, Status.NO, "500 of 1,000 calls are rated"),
        ("cost_per_user", {"named_calls": 950}, Status.PARTLY, "950 of 1,000 calls name their user"),
        ("other_costs", {"cost_lines": 0}, Status.NO, "0 cost lines"),
        ("losing_customers", {"losing": 1}, Status.NO, "1 of 3 customers cost more"),
        ("losing_customers", {"customers": 0}, Status.UNKNOWN, "0 of 0"),
        ("heavy_users", {"p95_covered": False}, Status.NO, "not covered"),
        ("heavy_users", {"p95_covered": None}, Status.UNKNOWN, "Nobody"),
        ("prompt_caching", {"cache_read_tokens": 9}, Status.PARTLY, "9.0 %"),
        ("prompt_caching", {"cache_read_tokens": 0}, Status.NO, "0.0 %"),
        ("payback", {"features_without_benefit": ("chat",)}, Status.NO, "chat"),
        ("every_feature_stops", {"plans": ()}, Status.UNKNOWN, "No plan"),
        (
            "every_feature_stops",
            {"plans": (GOOD, GOOD._replace(key="payg", open_ended=("chat",)))},
            Status.PARTLY,
            "1 of 2 plans on sale sell features that neither credits, a spend cap nor a hard limit stop: payg (chat).",
        ),
        ("run_caps", {"plans": (GOOD._replace(agents_uncapped=("agent",)),)}, Status.NO, "pro (agent)"),
        ("brakes", {"plans": (GOOD._replace(has_brake=False),)}, Status.NO, "1 of 1 plan on sale"),
        ("alerts", {"plans": (GOOD._replace(silent_limits=("daily",)),)}, Status.NO, "pro (daily)"),
        ("margin_guard", {"plans": (GOOD._replace(has_floor=False),)}, Status.NO, "no floor"),
    ],
)
def test_each_question_is_answered_by_what_is_known(
    key: str, parts: dict[str, Any], status: Status, evidence: str
) -> None:
    found = answered(**parts)[key]
    assert found.status is status
    assert evidence in found.evidence


@pytest.mark.django_db
def test_the_answers_of_a_database_name_the_plans_that_fail(api: Callable[..., Any]) -> None:
    """The world's metered plan sells chat as overage without a cap; neither plan has a limit at all."""
    World()
    cost_line("hosting", "per_customer", "8")
    acme = Books.open("acme")
    acme.uses("chat", at=at(3), user="ada", cost_usd="1")
    acme.uses("chat", at=at(3), cost_usd=None)
    report = api("/insights/checklist", **{"from": "2026-11-01", "to": "2026-12-01"}).json()
    found = {one["key"]: one for one in report["data"]}
    assert found["every_feature_stops"]["evidence"].endswith(": metered (chat).")
    assert found["every_feature_stops"]["status"] == "partly"
    assert (found["brakes"]["status"], found["alerts"]["status"]) == ("no", "unknown")
    assert found["metering_complete"]["evidence"] == "1 of 2 calls are priced (50.0 %)."
    assert found["cost_per_user"]["status"] == "no"
    assert found["other_costs"]["status"] == "yes"
    assert "cost_nanousd__isnull=True" in found["metering_complete"]["link"]
    assert report["met"] == sum(1 for one in report["data"] if one["status"] == "yes")
    assert report["asked"] == sum(1 for one in report["data"] if one["status"] != "unknown")
