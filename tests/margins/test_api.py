"""GET /v1/margins and /v1/customers/{key}/margin, the customers' books written by the real services."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from moneyed import Money

from margins.api.examples import HALF_A_MONTH, WORKED_MONTH
from margins.models import FxRate
from tests import accounts
from tests.margins.books import Books, at, cost_line, plan
from tests.world import Actor, World

pytestmark = pytest.mark.django_db

NOVEMBER = {"from": "2026-11-01", "to": "2026-12-01"}
MIDNIGHT = datetime.fromisoformat("2026-11-01T00:00:00Z")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def acme(world: World) -> Actor:
    """On $299 a month from the first of November, with the article's other costs."""
    cost_line("hosting", "per_customer", "8")
    cost_line("third-party", "per_customer", "12")
    cost_line("support", "per_customer", "15")
    return Actor("acme", MIDNIGHT, world.plan("growth", price="299", included=1_000))


def costing(key: str, dollars: int, *, day: int = 10, **parts: Any) -> Any:
    return accounts.fact(key, at=at(day), reported_cost_nanousd=dollars * 10**9, **parts)


def test_the_worked_example_through_the_api(acme: Actor, api: Callable[..., Any]) -> None:
    """299 a month: COGS 35 → 88.3 %, average inference to 100 → 66.6 %, heavy to 124 → 58.5 %."""
    for dollars, cogs, percent in ((0, "35", "0.882943"), (65, "100", "0.665552"), (24, "124", "0.585284")):
        if dollars:
            acme.uses(costing(f"spend-{dollars}", dollars), now=at(10))
        (figures,) = api("/customers/acme/margin", **NOVEMBER).json()["data"]
        assert figures["revenue"]["total"] == "299"
        assert figures["cogs"]["total"] == cogs
        assert figures["margin_ratio"] == percent
    assert figures == WORKED_MONTH, "as the documentation shows it"


def test_an_expired_pack_is_breakage_even_of_a_customer_who_has_gone_quiet(
    world: World, api: Callable[..., Any]
) -> None:
    quiet = Actor("quiet", MIDNIGHT, world.metered)
    quiet.is_granted(100, paid=Money(10, "USD"), expires_at=at(20))
    quiet.spends(25, key="a", now=at(5))
    report = api("/margins", by="day", **NOVEMBER).json()
    revenue = {row["day"]: row["revenue"] for row in report["data"]}
    assert (revenue["2026-11-05"]["credits"], revenue["2026-11-20"]["breakage"]) == ("2.5", "7.5")
    assert report["totals"][0]["revenue"]["total"] == "10"


def test_overage_and_the_pack_that_pays_it(world: World, api: Callable[..., Any]) -> None:
    """50 credits over at 0.02, then a pack of 100 for $1 takes 50 of them back at its own price."""
    metered = Actor("metered", MIDNIGHT, world.metered)
    metered.spends(50, key="a", now=at(5))
    (before,) = api("/margins", **NOVEMBER).json()["totals"]
    assert before["revenue"]["overage"] == "1"
    metered.now = at(6)
    metered.is_granted(100, paid=Money(1, "USD"))
    days = {row["day"]: row["revenue"] for row in api("/margins", by="day", **NOVEMBER).json()["data"]}
    assert days["2026-11-05"]["overage"] == "1", "what was earned then stays"
    assert (days["2026-11-06"]["overage"], days["2026-11-06"]["credits"]) == ("-1", "0.5")


def test_rows_carry_what_they_were_cut_by_and_sum_to_the_totals(acme: Actor, api: Callable[..., Any]) -> None:
    acme.uses(costing("a", 1), costing("b", 2, day=11), now=at(12))
    report = api("/margins", by="customer,day,feature", customer="acme", limit="200", **NOVEMBER).json()
    assert {"customer", "day", "feature"} <= set(report["data"][0])
    assert "model" not in report["data"][0]
    assert [row["day"] for row in report["data"] if row["feature"] == "chat"] == ["2026-11-10", "2026-11-11"]
    assert sum(row["calls"] for row in report["data"]) == report["totals"][0]["calls"] == 2
    assert report["totals"][0]["revenue"]["total"] == "299"


def test_users_and_cohorts_are_cuts_too(acme: Actor, api: Callable[..., Any]) -> None:
    acme.uses(costing("a", 1, user_key="ann"), costing("b", 2, user_key="bob"), costing("c", 3), now=at(12))
    report = api("/margins", by="cohort,user", **NOVEMBER).json()
    assert [(row["cohort"], row["user"], row["calls"]) for row in report["data"]] == [
        ("2026-11", "ann", 1),
        ("2026-11", "bob", 1),
        ("2026-11", None, 1),
    ]
    assert report["totals"][0]["revenue"]["total"] == "299"


def test_a_late_event_restates_its_own_day_in_sight(acme: Actor, api: Callable[..., Any]) -> None:
    acme.is_granted(100, key="pack", paid=Money(10, "USD"), priority=1)
    acme.uses(costing("late", 2, day=3, stated_microcredits=5 * 10**6), now=at(9))
    (restated,) = api("/margins", **NOVEMBER).json()["restated"]
    assert restated == {
        "day": "2026-11-03",
        "currency": "USD",
        "revenue": "0.5",
        "calls": 1,
        "inference_usd": "2",
        "last_at": "2026-11-09T12:00:00Z",
    }
    assert api("/customers/acme/margin", **NOVEMBER).json()["restated"] == [restated]


def test_pages_follow_each_other_without_gaps(api: Callable[..., Any]) -> None:
    for number in range(7):
        Books.open(f"c{number}").uses("chat", at=at(3), cost_usd="1")
    seen: list[str] = []
    page = api("/margins", by="customer", limit="3", **NOVEMBER).json()
    while True:
        seen += [row["customer"] for row in page["data"]]
        assert page["totals"][0]["calls"] == 7, "totals are of all rows, on every page"
        if page["next"] is None:
            break
        page = api(page["next"]).json()
    assert seen == [f"c{number}" for number in range(7)]


def test_unpriced_calls_lower_completeness_and_are_named_as_such(api: Callable[..., Any]) -> None:
    acme = Books.open("acme")
    acme.uses("chat", at=at(3), model="brand-new", cost_usd=None)
    acme.uses("chat", at=at(3), model="gpt-4o", cost_usd="1")
    (figures,) = api("/customers/acme/margin", **NOVEMBER).json()["data"]
    assert (figures["completeness"], figures["unpriced_calls"]) == ("0.5", 1)
    assert figures["margin_ratio"] is None, "no revenue, no ratio"


def test_inference_for_a_euro_customer_is_shown_apart(api: Callable[..., Any]) -> None:
    Books.open("berlin", currency="EUR").subscribes(plan("eu", "90", currency="EUR")).uses(
        "chat", at=at(2), cost_usd="5"
    )
    (figures,) = api("/customers/berlin/margin", **NOVEMBER).json()["data"]
    assert (figures["currency"], figures["revenue"]["total"], figures["gross_margin"]) == ("EUR", "90", None)
    (foreign,) = figures["not_convertible"]
    assert (foreign["currency"], foreign["cogs"]["total"], foreign["revenue"]["total"]) == ("USD", "5", "0")
    assert figures["reported"]["gross_margin"] is None
    assert figures["reported"]["missing_rates"][0]["currency"] == "EUR"
    assert len(figures["reported"]["missing_rates"][0]["days"]) == 30


def test_with_rates_a_euro_customer_has_a_margin_in_the_reporting_currency(api: Callable[..., Any]) -> None:
    """30 EUR a month: 1 EUR a day, worth 1.10 until the 16th, 1.20 from then on; inference of 5 USD."""
    Books.open("berlin", currency="EUR").subscribes(plan("eu", "30", currency="EUR")).uses(
        "chat", at=at(2), cost_usd="5"
    )
    Books.open("acme").subscribes(plan("us", "30"))
    for day in range(1, 31):
        worth = "1.1" if day < 16 else "1.2"
        FxRate.objects.create(currency="EUR", into="USD", day=at(day).date(), rate=worth, source="test")
    report = api("/margins", **NOVEMBER).json()
    reported = {row["currency"]: row["reported"] for row in report["totals"]}
    assert reported["EUR"] == {
        "currency": "USD",
        "revenue": "34.5",
        "cogs": "5",
        "gross_margin": "29.5",
        "margin_ratio": "0.855072",
        "missing_rates": [],
    }
    assert (report["reported_total"]["revenue"], report["reported_total"]["gross_margin"]) == ("64.5", "59.5")
    days = api("/margins", by="day", **NOVEMBER).json()["data"]
    assert {row["reported"]["revenue"] for row in days if row["currency"] == "EUR"} == {"1.1", "1.2"}


def test_revenue_is_billed_recognised_and_deferred(acme: Actor, api: Callable[..., Any]) -> None:
    acme.is_granted(100, key="pack", paid=Money(10, "USD"), priority=1)
    acme.spends(30, key="a", now=at(5))
    report = api("/revenue", **{"from": "2026-11-01", "to": "2026-11-16"}, customer="acme").json()
    assert report["data"] == [HALF_A_MONTH], "as the documentation shows it"
    assert api("/revenue", customer="nobody").json()["field"] == "customer"


def test_by_default_the_last_thirty_days_with_today(acme: Actor, api: Callable[..., Any]) -> None:
    report = api("/margins").json()
    assert (report["from"], report["to"], report["as_of"]) == ("2026-11-16", "2026-12-16", "2026-12-15T12:00:00Z")
    assert report["totals"][0]["revenue"]["total"] == "289.354838709", "half of November, 14.5 of December's 31 days"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"form": "2026-11-01"}, "form"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-12-01", "to": "2026-12-01"}, "to"),
        ({"from": "2025-01-01", "to": "2026-12-01"}, "to"),
        ({"from": "1999-12-31", "to": "2000-02-01"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"by": "moon"}, "by"),
        ({"by": "day,day"}, "by"),
        ({"by": "customer,day", "from": "2026-10-01", "to": "2026-12-01"}, "to"),
        ({"by": "user", "from": "2026-10-01", "to": "2026-12-01"}, "to"),
        ({"customer": "nobody"}, "customer"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "WyJhIiwiYiIsIlVTRCJd", "by": "day"}, "cursor"),
    ],
)
def test_a_question_that_cannot_be_answered_names_the_parameter(
    acme: Actor, api: Callable[..., Any], query: dict[str, str], field: str
) -> None:
    response = api("/margins", **query)
    assert response.status_code == 422, response.content
    assert response.json()["code"] == "invalid_input"
    assert response.json()["field"] == field


def test_an_unknown_customer_has_no_margin(api: Callable[..., Any]) -> None:
    response = api("/customers/nobody/margin")
    assert (response.status_code, response.json()["code"]) == (404, "customer_unknown")


def test_margins_need_the_read_scope(db: None) -> None:
    assert Client().get("/v1/margins").status_code == 401
