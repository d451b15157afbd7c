"""People, bridge, cohorts, features and runs, asked of a database."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from djmoney.money import Money

from entitlements.models import Run
from kernel.ids import key_digest, new_id
from margins.models import FeatureBenefit
from margins.people.changes import cost_change, previous
from margins.people.cohorts import cohort_costs
from margins.people.trees import depth_of_trees
from margins.people.users import people
from margins.period import Period
from margins.queries.margins import Dimension, Scope, margin_rows
from tests.margins.books import Books, at, feature, plan

pytestmark = pytest.mark.django_db

NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
DAYS = {"from": "2026-11-01", "to": "2026-12-01"}
NOW = datetime.fromisoformat("2026-12-15T12:00:00Z")
CENT = 10_000_000


def of_november() -> Any:
    return people(NOVEMBER, margin_rows(Scope(*NOVEMBER), [Dimension.CUSTOMER], now=NOW))


def test_five_per_cent_of_users_who_cost_forty_per_cent_are_found(api: Callable[..., Any]) -> None:
    """Forty users of two customers: two cost $19 each, 38 cost $1.50: 38 of 95 dollars."""
    pro = plan("pro", "40")
    acme, zeta = Books.open("acme").subscribes(pro), Books.open("zeta").subscribes(pro)
    for number in range(20):
        acme.uses("chat", at=at(3), user=f"u{number}", cost_usd="19" if number in {4, 11} else "1.50")
        zeta.uses("chat", at=at(4), user=f"u{number}", cost_usd="1.50")
    answer = api("/insights/people", limit="3", **DAYS).json()
    five = next(top for top in answer["users"]["tops"] if top["percent"] == 5)
    assert five == {"percent": 5, "people": 2, "cost_usd": "38", "share": "0.4"}
    assert answer["users"]["people"] == 40
    assert answer["customers"]["tops"][0] == {"percent": 1, "people": 1, "cost_usd": "65", "share": "0.684211"}
    assert [(one["user"], one["cost_usd"], one["covered"]) for one in answer["heaviest"]] == [
        ("u11", "19", False),
        ("u4", "19", False),
        ("u0", "1.5", True),
    ], "forty dollars by twenty users are two each"
    assert (answer["uncovered_users"], answer["heaviest"][0]["revenue"]) == (2, "2")
    assert (answer["p95_user"]["cost_usd"], answer["p95_user"]["covered"]) == ("1.5", True)


def test_what_is_paid_for_use_is_brought_by_who_uses() -> None:
    """$30 by head, and 100 bought credits at 10 cents: three quarters of them burned by one of two users."""
    acme = Books.open("acme").subscribes(plan("pro", "30"))
    pack = acme.is_granted(100, paid="10")
    acme.uses("chat", at=at(3), user="heavy", credits=75, cost_usd="25", burning=pack)
    acme.uses("chat", at=at(3), user="light", credits=25, cost_usd="1", burning=pack)
    found = {one.user: one for one in of_november().users}
    assert found["heavy"].revenue_femto == round(22.5 * 10**15)
    assert found["light"].revenue_femto == round(17.5 * 10**15)
    assert [found[name].covered for name in ("heavy", "light")] == [False, True]


def test_users_nobody_named_and_customers_billed_in_another_currency() -> None:
    Books.open("berlin", currency="EUR").subscribes(plan("eu", "90", currency="EUR")).uses(
        "chat", at=at(2), cost_usd="5"
    )
    Books.open("free").uses("chat", at=at(2), cost_usd=None)
    found = {one.customer: one for one in of_november().users}
    assert (found["berlin"].user, found["berlin"].covered) == ("", None)
    assert (found["free"].cost_nanousd, found["free"].unpriced_calls) == (0, 1)
    assert of_november().unpriced_calls == 1


def test_nobody_is_nobody() -> None:
    assert of_november().p95 is None
    assert of_november().users == []


def test_a_price_that_fell_is_told_from_more_calls(api: Callable[..., Any]) -> None:
    """October: 4 calls at 10 cents. November: 6 at 8 cents of the same size. Volume +20, price −12 cents."""
    acme = Books.open("acme")
    for day in range(4):
        acme.uses("chat", at=at(20 + day, month=10), cost_usd="0.10", tokens=1_000)
    for day in range(6):
        acme.uses("chat", at=at(2 + day), cost_usd="0.08", tokens=1_000)
    acme.uses("chat", at=at(9), model="brand-new", cost_usd=None)
    answer = api("/insights/bridge", **DAYS).json()
    assert answer["before"] == {
        "from": "2026-10-02",
        "to": "2026-11-01",
        "calls": 4,
        "unpriced_calls": 0,
        "cost_usd": "0.4",
    }
    assert answer["after"]["unpriced_calls"] == 1
    assert answer["effects"] == {"volume_usd": "0.2", "mix_usd": "0", "size_usd": "0", "price_usd": "-0.12"}
    assert answer["difference_usd"] == "0.08"
    (row,) = answer["data"]
    assert (row["model"], row["effects"]) == ("gpt-4o", answer["effects"])
    (row,) = api("/insights/bridge", by="feature", **DAYS).json()["data"]
    assert (row["feature"], row["calls_before"], row["calls_after"]) == ("chat", 4, 6)


def test_more_output_is_size_and_not_a_higher_price() -> None:
    """gpt-4o lists output at four times the price of input, so its work is worth what its tokens cost, kind by kind."""
    acme = Books.open("acme")
    acme.uses("chat", at=at(20, month=10), cost_usd="2.5", tokens=1_000_000)
    acme.uses("chat", at=at(3), cost_usd="5", tokens=2_000_000)
    found = cost_change(previous(NOVEMBER), NOVEMBER)
    assert found.bridge.effects._asdict() == {"volume": 0, "mix": 0, "size": 250 * CENT, "price": 0}


def test_rows_of_any_cut_sum_to_the_bridge() -> None:
    acme = Books.open("acme")
    for number, (model, name) in enumerate([("gpt-4o", "chat"), ("gpt-4o", "search"), ("other", "chat")]):
        acme.uses(name, at=at(20, month=10), model=model, cost_usd=f"0.{number + 3}7", tokens=700 * (number + 1))
        acme.uses(name, at=at(5), model=model, cost_usd=f"0.{number + 1}3", tokens=900)
        acme.uses(name, at=at(6), model=model, cost_usd="0.29", tokens=1_100)
    found = cost_change(previous(NOVEMBER), NOVEMBER)
    assert found.bridge.effects.total == found.bridge.after.cost - found.bridge.before.cost != 0
    for by in ("model", "feature"):
        rows = found.merged(by)
        assert [sum(effects[place] for *_, effects in rows) for place in range(4)] == list(found.bridge.effects)
        assert all(effects.total == new.cost - old.cost for _, old, new, effects in rows)


def test_cohorts_cost_what_their_customers_did_in_each_month(api: Callable[..., Any]) -> None:
    pro = plan("pro")
    old = Books.open("old").subscribes(pro, on=at(10, month=9))
    old.subscribes(plan("team", "99"), on=at(1))
    new = Books.open("new").subscribes(pro, on=at(5))
    Books.open("quiet").subscribes(pro, on=at(6))
    Books.open("never").uses("chat", at=at(7), cost_usd="4")
    old.uses("chat", at=at(11, month=10), cost_usd="1")
    old.uses("chat", at=at(11), cost_usd="2")
    new.uses("chat", at=at(12), cost_usd=None)
    new.uses("chat", at=at(12), cost_usd="3")
    first, second, last = cohort_costs(Period(date(2026, 10, 15), date(2026, 12, 1)))
    assert (first.month, first.customers, [(cell.month.month, cell.cost_nanousd) for cell in first.cells]) == (
        date(2026, 9, 1),
        1,
        [(10, 100 * CENT), (11, 200 * CENT)],
    ), "who changed plans is of the month of the first"
    (cell,) = second.cells
    assert (second.customers, cell.active, cell.calls, cell.unpriced_calls, cell.cost_per_active) == (
        2,
        1,
        2,
        1,
        300 * CENT,
    )
    assert (last.month, last.cost_nanousd, last.age(last.cells[0])) == (None, 400 * CENT, None)
    months = api("/insights/cohorts", **DAYS).json()["data"][0]["months"]
    assert [(one["month"], one["age"], one["cost_usd"]) for one in months] == [("2026-11-01", 2, "2")]


def test_a_feature_that_costs_18_and_prevents_25_of_churn_pays(api: Callable[..., Any]) -> None:
    acme = Books.open("acme").subscribes(plan("pro", "100"))
    for user in ("ada", "bob"):
        acme.uses("code-agent", at=at(3), user=user, cost_usd="10")
        acme.uses("code-agent", at=at(9), user=user, cost_usd="8")
    FeatureBenefit.objects.create(
        feature=feature("code-agent"), amount=Money(90, "USD"), assumption="A guess.", starts_on=date(2026, 1, 1)
    )
    FeatureBenefit.objects.create(
        feature=feature("code-agent"), amount=Money(25, "USD"), investment=Money(7_000, "USD"),
        assumption="Exit survey: 5 of 100 would have left.", starts_on=date(2026, 11, 30),
    )  # fmt: skip
    answer = api("/insights/features", **DAYS).json()
    (paid,) = answer["payback"]
    assert {name: paid[name] for name in ("cost", "benefit", "net", "benefit_per_cost", "pays", "users")} == {
        "cost": "18", "benefit": "25", "net": "7", "benefit_per_cost": "1.388889", "pays": True, "users": 2,
    }  # fmt: skip
    assert (paid["months_to_pay_back"], paid["assumption"][:11]) == ("500", "Exit survey")
    (standing,) = [one for one in answer["data"] if one["feature"] == "code-agent"]
    assert standing["type"] == "ai"
    assert answer["benchmarks"]["ai_native"] == "0.52"


def test_a_benefit_of_zero_ends_it_and_one_in_another_currency_waits_for_a_rate(api: Callable[..., Any]) -> None:
    def states(key: str, amount: Money, day: date) -> None:
        FeatureBenefit.objects.create(feature=feature(key), amount=amount, assumption="A guess.", starts_on=day)

    states("chat", Money(5, "USD"), date(2026, 1, 1))
    states("chat", Money(0, "USD"), date(2026, 11, 2))
    states("search", Money(5, "EUR"), date(2026, 1, 1))
    states("later", Money(5, "USD"), date(2026, 12, 1))
    (only,) = api("/insights/features", **DAYS).json()["payback"]
    assert (only["feature"], only["pays"], only["cost"]) == ("search", None, None)


def opens(customer: Books, key: str, cost: int, *, inside: tuple[Run, ...] = (), steps: int = 1) -> Run:
    """A run with its sums as the gate keeps them: those of the runs inside included."""
    return Run.objects.create(
        customer_id=customer.customer.pk, id=new_id(), key=key, key_digest=key_digest(key), body_digest=key_digest(key),
        ancestors=[run.id for run in inside], opened_at=at(5), steps=steps, cost_nanousd=cost,
    )  # fmt: skip


def test_a_tree_of_eight_cents_at_depth_one_shows_what_depth_four_cost(api: Callable[..., Any]) -> None:
    acme = Books.open("acme")
    one = opens(acme, "plan", 120 * CENT, steps=15)
    two = opens(acme, "research", 112 * CENT, inside=(one,), steps=14)
    three = opens(acme, "read", 96 * CENT, inside=(one, two), steps=12)
    opens(acme, "summarise", 64 * CENT, inside=(one, two, three), steps=8)
    opens(acme, "alone", 5 * CENT)
    levels = api("/insights/runs", customer="acme", run="plan", **DAYS).json()["levels"]
    assert [(one["depth"], one["steps"], one["cost_usd"], one["upto_usd"]) for one in levels] == [
        (1, 1, "0.08", "0.08"),
        (2, 2, "0.16", "0.24"),
        (3, 4, "0.32", "0.56"),
        (4, 8, "0.64", "1.2"),
    ]
    inner = api("/insights/runs", customer="acme", run="read", **DAYS).json()["levels"]
    assert [(one["depth"], one["cost_usd"]) for one in inner] == [(1, "0.32"), (2, "0.64")]
    trees = api("/insights/runs", **DAYS).json()["trees"]
    assert [(one["depth"], one["trees"], one["runs"], one["cost_usd"], one["first_level_usd"]) for one in trees] == [
        (1, 1, 1, "0.05", "0.05"),
        (4, 1, 4, "1.2", "0.08"),
    ]
    assert depth_of_trees(Period(date(2026, 11, 6), date(2026, 12, 1))) == []


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("people", {"limit": "0"}, "limit"),
        ("people", {"from": "2026-12-01", "to": "2026-11-01"}, "to"),
        ("bridge", {"by": "user"}, "by"),
        ("bridge", {"against": "2026-10-15"}, "against"),
        ("bridge", {"against": "1999-10-15"}, "against"),
        ("runs", {"customer": "acme"}, "run"),
        ("runs", {"run": "plan"}, "customer"),
        ("runs", {"run": "plan", "customer": "nobody"}, "customer"),
        ("runs", {"run": "unheard-of", "customer": "acme"}, "run"),
        ("savings", {"customer": "nobody"}, "customer"),
        ("savings", {"from": "2026-08-01", "to": "2026-12-01"}, "to"),
        ("savings", {"busy_percent": "0"}, "busy_percent"),
        ("cohorts", {"by": "month"}, "by"),
    ],
)
def test_a_question_that_cannot_be_answered_names_the_parameter(
    api: Callable[..., Any], path: str, query: dict[str, str], field: str
) -> None:
    Books.open("acme")
    response = api(f"/insights/{path}", **(DAYS | query))
    assert response.status_code == 422, response.content
    assert response.json()["field"] == field


@pytest.mark.parametrize("path", ["people", "cohorts", "features", "bridge", "runs", "savings", "checklist"])
def test_an_empty_house_has_answers(api: Callable[..., Any], path: str) -> None:
    response = api(f"/insights/{path}")
    assert response.status_code == 200, response.content
    assert response.json()["as_of"] == "2026-12-15T12:00:00Z"
