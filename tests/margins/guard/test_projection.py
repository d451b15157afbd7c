"""What a period is projected to leave, worked by hand: a month of thirty days from the first of November."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from margins.guard.projection import SoFar, project

START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
CREDIT = 10**6


def usd(dollars: float) -> int:
    return round(dollars * 10**15)


def so_far(**parts: Any) -> SoFar:
    """100 USD promised; by use 10 USD of cost for 100 credits, and 1,000 credits left."""
    usual: dict[str, Any] = {
        "start": START, "end": END, "promised_nano": 100 * 10**9, "use_cost_femto": usd(10), "use_revenue_femto": 0,
        "other_cost_femto": 0, "other_since": START, "other_revenue_femto": 0, "charged_microcredits": 100 * CREDIT,
        "credits_left": 1_000 * CREDIT,
    }  # fmt: skip
    return SoFar(**(usual | parts))


CASES: dict[str, tuple[dict[str, Any], timedelta, float, float]] = {
    "a tenth of the month: ten times as much": ({}, timedelta(days=3), 100, 100),
    "half of it: twice": ({}, timedelta(days=15), 100, 20),
    "all of it: no more": ({}, timedelta(days=30), 100, 10),
    "a burst in the first minute is a day's use": ({"credits_left": None}, timedelta(minutes=1), 100, 310 - 10 / 1440),
    "no further than the credits": ({"credits_left": 50 * CREDIT}, timedelta(days=3), 100, 15),
    "none left is no more": ({"credits_left": 0}, timedelta(days=3), 100, 10),
    "in debt neither": ({"credits_left": -5 * CREDIT}, timedelta(days=3), 100, 10),
    "overage has no end": ({"credits_left": None}, timedelta(days=1), 100, 300),
    "what use earns grows with it": ({"use_revenue_femto": usd(4)}, timedelta(days=15), 108, 20),
    "what is charged nothing grows too": ({"charged_microcredits": 0, "credits_left": 0}, timedelta(days=15), 100, 20),
    "breakage stays": ({"other_revenue_femto": usd(5)}, timedelta(days=15), 105, 20),
    "our other costs come with time": ({"other_cost_femto": usd(12)}, timedelta(days=15), 100, 20 + 24),
    "whatever the credits": ({"other_cost_femto": usd(12), "credits_left": 0}, timedelta(days=15), 100, 10 + 24),
    "nothing happened": ({"use_cost_femto": 0, "charged_microcredits": 0}, timedelta(days=3), 100, 0),
}


@pytest.mark.parametrize("case", CASES)
def test_a_period_projected(case: str) -> None:
    parts, passed, revenue, cost = CASES[case]
    found = project(so_far(**parts), START + passed)
    assert found.revenue_nano == round(revenue * 10**9)
    assert found.cost_nano == pytest.approx(cost * 10**9, abs=1)


@pytest.mark.parametrize(
    ("promised", "cost", "ratio"),
    [(100, 10, 900_000), (100, 100, 0), (100, 250, -1_500_000), (3, 1, 666_667), (0, 10, None), (0, 0, None)],
)
def test_the_ratio_is_in_millionths(promised: int, cost: int, ratio: int | None) -> None:
    at_the_end = so_far(promised_nano=promised * 10**9, use_cost_femto=usd(cost))
    assert project(at_the_end, END).ratio_micro == ratio
