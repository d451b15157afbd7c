"""The figures the worker writes: whose, when, and worked by hand. Half-way of 100 USD a month unless told."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from moneyed import Money

from access.services.api_keys import create_key
from entitlements.models import MarginFigure, MarginGuard, OutboxMessage
from entitlements.services.subscriptions import end_subscription, subscribe
from margins.guard.accounts import due_accounts
from margins.guard.figures import refresh_customers, refresh_due
from margins.models import FxRate
from plans.models import Plan, PlanVersion
from tests import accounts
from tests.margins.books import cost_line
from tests.margins.guard.shop import HALF_WAY, START, also_sold, costs, guard, joins, open_shop
from tests.world import CREDIT, Actor, World

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def acme() -> Actor:
    open_shop()
    guard("deny", "0.5")
    return joins()


def figure(of: Actor) -> Any:
    """(revenue, cost, ratio in millionths)."""
    row = MarginFigure.objects.get(customer_id=of.row.pk)
    return Decimal(row.revenue_nano) / 10**9, Decimal(row.cost_nano) / 10**9, row.ratio_micro


def due(now: datetime) -> list[str]:
    return [account.key for account in due_accounts(now)]


def test_half_of_the_month_is_drawn_out_to_all_of_it(acme: Actor) -> None:
    costs(acme, 20, "e1")
    assert figure(acme) == (100, 40, 600_000)


def test_no_further_than_the_credits_last(acme: Actor) -> None:
    """9,900 credits for 45 USD: the hundred that are left cost no 45 more."""
    acme.uses(
        accounts.fact("e1", at=HALF_WAY, stated_microcredits=9_900 * CREDIT, reported_cost_nanousd=45 * 10**9),
        now=HALF_WAY,
    )
    refresh_due(HALF_WAY)
    _, cost, _ = figure(acme)
    assert round(cost, 6) == round(45 + Decimal(45) * 100 / 9_900, 6)


def test_what_was_bought_and_burned_is_revenue(acme: Actor) -> None:
    """A thousand bought for 20 USD burn first, once the allowance is gone; all of 10,200 credits are used."""
    acme.is_granted(200, paid=Money(20, "USD"))
    acme.uses(
        accounts.fact("e1", at=HALF_WAY, stated_microcredits=10_200 * CREDIT, reported_cost_nanousd=60 * 10**9),
        now=HALF_WAY,
    )
    refresh_due(HALF_WAY)
    assert figure(acme) == (120, 60, 500_000)


def test_our_other_costs_are_drawn_out_over_time(acme: Actor) -> None:
    """30 USD a customer and month are a dollar a day of November."""
    cost_line("hosting", "per_customer", "30")
    refresh_due(HALF_WAY)
    assert figure(acme) == (100, 30, 700_000)


def test_a_period_that_starts_within_a_day_leaves_the_morning_to_the_one_before() -> None:
    """From noon of 1 November: what came before belongs to no period, what came after counts from then."""
    open_shop()
    guard("deny", "0.5")
    noon = START + timedelta(hours=12)
    late = Actor("late", START)
    late.is_granted(10, paid=Money(1, "USD"))
    late.uses(accounts.fact("e0", at=START, stated_microcredits=5 * CREDIT, reported_cost_nanousd=7 * 10**9), now=START)
    subscribe("late", PlanVersion.objects.get(), noon)
    late.uses(
        accounts.fact("e1", at=noon + MINUTE, stated_microcredits=5 * CREDIT, reported_cost_nanousd=3 * 10**9),
        now=noon + MINUTE,
    )
    costs(late, 7, "e2", at=noon + timedelta(days=15))
    revenue, cost, _ = figure(late)
    assert cost == 20, "3 + 7 of the half, twice"
    assert revenue == 100, "the allowance burned first"


def test_overage_earns_while_it_costs(now: datetime) -> None:
    """World's metered plan: 0.02 USD a credit, 100 of them for a cost of 1, half-way: 4 of revenue, 2 of cost."""
    world = World()
    guard("deny", "0.9", plan=Plan.objects.get(key="metered"))
    metered = Actor("metered", START, world.metered)
    costs(metered, 1, "e1")
    assert figure(metered) == (4, 2, 500_000)


def test_a_cost_without_revenue_has_no_ratio() -> None:
    world = World()
    free = world.plan("gratis", included=100)
    guard("deny", "0", plan=free.plan)
    actor = Actor("acme", START, free)
    actor.uses(accounts.fact("e1", at=HALF_WAY, stated_microcredits=CREDIT, reported_cost_nanousd=10**9), now=HALF_WAY)
    refresh_due(HALF_WAY)
    revenue, _, ratio = figure(actor)
    assert (revenue, ratio) == (0, None)


def test_only_guarded_customers_have_figures(acme: Actor) -> None:
    costs(Actor("other", START, also_sold("other", Money(10, "USD"), included=1_000)), 20, "e1")
    assert [row.customer_id for row in MarginFigure.objects.all()] == [acme.row.pk]


def test_who_is_due(acme: Actor) -> None:
    assert due(HALF_WAY) == ["acme"], "it has no figure"
    costs(acme, 1, "e1")
    refresh_due(HALF_WAY + MINUTE)
    later = HALF_WAY + timedelta(minutes=30)
    assert due(later) == [], "nothing happened since"
    acme.uses(accounts.fact("e2", at=later, reported_cost_nanousd=1), now=later)
    assert due(later) == ["acme"], "it was used"
    refresh_due(later + MINUTE)
    assert due(later + timedelta(minutes=60)) == []
    assert due(later + timedelta(minutes=62)) == ["acme"], "once an hour, for what comes late"
    costs(acme, 40, "e3", at=later + MINUTE * 5)
    refresh_due(later + MINUTE * 6)
    assert due(later + MINUTE * 20) == ["acme"], "below its floor it is kept fresh"
    end_subscription("acme", later + MINUTE * 20)
    assert due(later + MINUTE * 20) == []


def test_without_a_guard_nobody_is_due(acme: Actor) -> None:
    MarginGuard.objects.update(ends_at=HALF_WAY)
    assert due(HALF_WAY) == []
    assert refresh_customers([acme.row.pk], HALF_WAY) == 0


def test_a_figure_is_told_once_a_period(acme: Actor) -> None:
    costs(acme, 20, "e1")
    assert not OutboxMessage.objects.filter(kind="margin.below_floor").exists()
    costs(acme, 10, "e2")
    costs(acme, 10, "e3")
    message = OutboxMessage.objects.get(kind="margin.below_floor")
    assert message.payload == {
        "floor": "0.5",
        "projected_margin": "0.4",
        "revenue": "100",
        "cost": "60",
        "currency": "USD",
        "period_start": "2026-11-01T00:00:00Z",
        "period_end": "2026-12-01T00:00:00Z",
    }
    costs(acme, 90, "e4", at=datetime(2026, 12, 16, tzinfo=UTC))
    assert OutboxMessage.objects.filter(kind="margin.below_floor").count() == 2


def test_a_margin_in_another_currency_needs_a_rate(acme: Actor) -> None:
    """100 EUR, and 20 USD at 1.25 USD the euro: 16, twice."""
    acme.row.currency = "EUR"
    acme.row.save()
    euro = also_sold("euro", Money(100, "EUR"), included=10_000)
    subscribe("acme", euro, START)
    guard("deny", "0.1", plan=euro.plan)
    costs(acme, 20, "e1")
    assert not MarginFigure.objects.exists()
    FxRate.objects.create(currency="EUR", into="USD", day=HALF_WAY.date(), rate="1.25", source="bank")
    refresh_due(HALF_WAY)
    assert figure(acme) == (100, 32, 680_000)


def put(client: Any, path: str, **body: Any) -> Any:
    return client.put(f"/v1{path}", body, content_type="application/json")


@pytest.fixture
def admin() -> Any:
    _, token = create_key("admin", ("admin", "read"), START)
    return Client(headers={"authorization": f"Bearer {token}"})


def test_floors_are_set_and_ended_over_the_api(acme: Actor, admin: Any) -> None:
    path = "/customers/acme/margin-guards"
    assert put(admin, f"{path}/warn", floor="0.6").status_code == 201
    again = put(admin, f"{path}/warn", floor="0.6")
    assert (again.status_code, again.json()["floor"], again.json()["scope"]) == (200, "0.6", "customer")
    assert put(admin, f"{path}/warn", floor="0.7", freshness_seconds=120).status_code == 201
    put(admin, f"{path}/deny", floor="0.1", note="until they pay")
    listed = admin.get(f"/v1{path}").json()["data"]
    assert [(one["action"], one["floor"], one["freshness_seconds"]) for one in listed] == [
        ("warn", "0.7", 120),
        ("deny", "0.1", 60),
    ]
    assert admin.delete(f"/v1{path}/deny").json()["ends_at"] is not None
    assert admin.delete(f"/v1{path}/deny").json()["code"] == "margin_guard_unknown"
    assert [one["action"] for one in admin.get("/v1/plans/team/margin-guards").json()["data"]] == ["deny"]


@pytest.mark.parametrize(
    ("path", "body", "code", "field"),
    [
        ("/plans/none/margin-guards/deny", {"floor": "0.1"}, "plan_unknown", None),
        ("/customers/none/margin-guards/deny", {"floor": "0.1"}, "customer_unknown", None),
        ("/plans/team/margin-guards/stop", {"floor": "0.1"}, "margin_guard_unknown", None),
        ("/plans/team/margin-guards/deny", {"floor": "1.1"}, "invalid_input", "floor"),
        ("/plans/team/margin-guards/deny", {"floor": "NaN"}, "invalid_input", "floor"),
        ("/plans/team/margin-guards/deny", {"floor": "x"}, "invalid_input", "floor"),
        ("/plans/team/margin-guards/deny", {"floor": 0.1}, "invalid_input", "floor"),
        ("/plans/team/margin-guards/deny", {"floor": "0.1234567"}, "invalid_input", "floor"),
        (
            "/plans/team/margin-guards/deny",
            {"floor": "0.1", "freshness_seconds": 1},
            "invalid_input",
            "freshness_seconds",
        ),
        ("/plans/team/margin-guards/deny", {"floor": "0.1", "until": "x"}, "invalid_input", "until"),
    ],
)
def test_what_makes_no_floor_is_said(
    acme: Actor, admin: Any, path: str, body: Any, code: str, field: str | None
) -> None:
    answer = put(admin, path, **body).json()
    assert (answer["code"], answer.get("field")) == (code, field)


def test_the_projection_can_be_read(acme: Actor, api: Callable[..., Any]) -> None:
    assert api("/customers/acme/margin-projection").json()["code"] == "margin_not_projected"
    costs(acme, 20, "e1")
    body = api("/customers/acme/margin-projection").json()
    assert (body["revenue"], body["cost"], body["margin_ratio"]) == ("100", "40", "0.6")
    assert (body["period_end"], body["unpriced_calls"]) == ("2026-12-01T00:00:00Z", 0)


def test_staff_set_and_end_floors_in_the_admin(acme: Actor, staff: Any) -> None:
    pages = "/admin/entitlements/marginguard/"
    form = {
        "plan": str(Plan.objects.get().pk), "customer": "", "floor": "0.2", "action": "warn", "freshness_seconds": "60",
        "starts_at_0": "2026-11-01", "starts_at_1": "00:00:00", "ends_at_0": "", "ends_at_1": "", "note": "",
    }  # fmt: skip
    assert staff.post(f"{pages}add/", form).status_code == 302
    guard = MarginGuard.objects.get(action="warn")
    assert "already: end that first" in staff.post(f"{pages}add/", form).content.decode()
    page = staff.get(f"{pages}{guard.pk}/change/").content.decode()
    assert 'name="floor"' not in page
    assert staff.get(pages).status_code == 200
    assert staff.post(f"{pages}{guard.pk}/delete/", {"post": "yes"}).status_code == 403
