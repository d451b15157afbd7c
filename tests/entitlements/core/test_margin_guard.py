"""Which floor decides, and which models are a way down."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from entitlements.core.check import Answer, Question, check
from entitlements.core.margin_figure import Floor, MarginFigure
from entitlements.core.margin_guard import below, cheaper
from kernel.usage import Usage
from plans.terms import PlanTerms
from tests import shop
from tests.accounts import Costs, give, subscribed
from tests.shop import HUGE, LARGE, SMALL

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
START = datetime(2026, 11, 15, 12, tzinfo=UTC)


def figure(ratio: int | None, *floors: Floor, age: int = 0, start: datetime = START) -> MarginFigure:
    return MarginFigure(ratio, NOW - timedelta(seconds=age), start, start + timedelta(days=30), floors)


WARN, DOWNGRADE = Floor(400_000, "warn", "plan"), Floor(400_000, "downgrade", "plan")
DENY = Floor(400_000, "deny", "plan")
LOW_DENY = Floor(100_000, "deny", "plan")
PATIENT_DENY = Floor(400_000, "deny", "plan", trusts_stale=True)

CASES: dict[str, tuple[MarginFigure | None, tuple[str, bool] | None]] = {
    "no figure": (None, None),
    "no floor": (figure(0), None),
    "on the floor": (figure(400_000, DENY), None),
    "just below": (figure(399_999, DENY), ("deny", True)),
    "the strictest counts": (figure(0, WARN, DENY, DOWNGRADE), ("deny", True)),
    "of those it is below": (figure(200_000, LOW_DENY, WARN, DOWNGRADE), ("downgrade", True)),
    "a cost without revenue is below all": (figure(None, Floor(-1_000_000, "deny", "plan")), ("deny", True)),
    "sixty seconds are fresh": (figure(0, DENY, age=60), ("deny", True)),
    "sixty-one are stale": (figure(0, DENY, age=61), ("deny", False)),
    "stale where stale is trusted": (figure(0, PATIENT_DENY, age=10_000), ("deny", True)),
    "a fresh one before a stricter stale one": (
        figure(0, DENY, Floor(400_000, "warn", "plan", freshness_seconds=300), age=100),
        ("warn", True),
    ),
    "of another period": (figure(0, DENY, start=START - timedelta(days=30)), None),
}


@pytest.mark.parametrize("case", CASES)
def test_the_floor_that_decides(case: str) -> None:
    given, expected = CASES[case]
    found = below(given, START, NOW)
    assert (None if found is None else (found.floor.action, found.acts)) == expected


@pytest.mark.parametrize(
    ("asked", "chain", "down"),
    [
        (LARGE, (SMALL,), ["gpt-4o-mini"]),
        (LARGE, (HUGE, SMALL), ["gpt-4o-mini"]),
        (HUGE, (HUGE, LARGE, SMALL), ["gpt-4o", "gpt-4o-mini"]),
        (SMALL, (LARGE, SMALL), []),
        (SMALL, (LARGE,), []),
        (None, (LARGE, SMALL), ["gpt-4o", "gpt-4o-mini"]),
    ],
)
def test_the_way_down(asked: Any, chain: Any, down: list[str]) -> None:
    assert [model.key for model in cheaper(asked, chain)] == down


def ask(terms: PlanTerms, guard: MarginFigure, *, model: str = "gpt-4o", credits: int = 0, **parts: Any) -> Answer:
    account = subscribed(terms, now=START)
    if credits:
        give(account, credits, now=START)
    account.margin = guard
    asked: dict[str, Any] = {"feature": "chat", "model": model, "estimate": Usage(input_tokens=1_000)}
    question = Question(**(asked | parts))
    return check(account, question, shop.catalogue(terms), Costs(), NOW, {})


def test_nothing_that_fits_below_is_a_warning_not_a_stop() -> None:
    terms = shop.plan(entitlements=shop.chat_right(max_rank=2))
    answer = ask(terms, figure(0, DOWNGRADE))
    assert (answer.decision, [warning.code for warning in answer.warnings]) == ("allow", ["margin_guard"])


def test_a_fallback_that_a_limit_asked_for_is_denied_too() -> None:
    terms = shop.plan(entitlements=shop.chat_right(max_rank=1, at_limit="downgrade"), fallbacks=(SMALL,))
    lower = ask(terms, figure(0, DOWNGRADE))
    assert (lower.decision, lower.reason) == ("downgrade", "model_tier_not_allowed")
    assert (denied := ask(terms, figure(0, DENY))).decision == "deny"
    assert denied.reason == "margin_guard"


def test_overage_is_guarded() -> None:
    right = shop.chat_right(max_rank=2, at_limit="overage")
    terms = shop.plan(entitlements=right, included_microcredits=0, overage_price="0.02")
    assert ask(terms, figure(500_000, DENY)).reason == "overage"
    assert ask(terms, figure(0, DENY)).reason == "margin_guard"


def test_a_call_without_a_model_has_no_way_down() -> None:
    terms = shop.plan(fallbacks=(SMALL,))
    answer = ask(terms, figure(0, DOWNGRADE), model="", estimate=1)
    assert (answer.decision, [warning.code for warning in answer.warnings]) == ("allow", ["margin_guard"])


def test_a_denial_names_the_plan_that_would_do() -> None:
    bigger = shop.plan(id=2, plan_key="max", price="99", entitlements=shop.chat_right(max_rank=2))
    terms = shop.plan(entitlements=shop.chat_right(max_rank=2))
    account = subscribed(terms, now=START)
    account.margin = figure(0, DENY)
    question = Question(feature="chat", model="gpt-4o", estimate=1)
    answer = check(account, question, shop.catalogue(terms, bigger), Costs(), NOW, {})
    assert answer.remedy is not None
    assert answer.remedy.upgrade_to == "max"
