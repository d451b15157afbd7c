"""The most a plan can cost, worked by hand.

The small model costs 100 nano-USD a token. The largest input (200,000 tokens) is charged 20 credits and costs 0.02 USD,
a tenth of a cent a credit; the largest output (32,000) 12.8 credits and 0.0032 USD; both together 32.8 credits and
0.0232 USD. So credits alone are best burned on input, and calls alone on both.
"""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from kernel.usage import Usage
from margins.cost_lines import Basis, LineTerms
from margins.plan_audit.auditing import audit
from margins.plan_audit.linear import maximise
from margins.plan_audit.terms import CallFigures, Case
from margins.plan_audit.worst_case import included, worst_cases
from tests.margins.plan_audit.offers import SEARCH_AND_CHAT, limit, offer
from tests.shop import CREDIT, LONG_AGO, chat_right


def usd(case: Case) -> Any:
    return None if case.cost_nano is None else case.cost_nano / 10**9


CASES: dict[str, tuple[dict[str, Any], str | None, tuple[str, ...]]] = {
    "a hundred credits of input": ({}, "0.1", ("included credits",)),
    "every day a hundred more": ({"allowance_renewal": "day"}, "3.1", ("included credits",)),
    "five weeks begin in a month": ({"allowance_renewal": "week"}, "0.5", ("included credits",)),
    "a year of months": ({"interval": "year"}, "1.2", ("included credits",)),
    "what rolled over comes on top": ({"rollover_max_microcredits": 50 * CREDIT}, "0.15", ("included credits",)),
    "three calls of the largest kind": ({"limits": (limit("calls", 3),)}, "0.0696", ("calls-period",)),
    "dollars are dollars": ({"limits": (limit("cost", 0.05),)}, "0.05", ("cost-period",)),
    "31 days of a thousand tokens": ({"limits": (limit("tokens", 1_000, "day"),)}, "0.0031", ("tokens-day",)),
    "744 hours of a tenth of a credit": ({"limits": (limit("credits", 0.1, "hour"),)}, "0.0744", ("credits-hour",)),
    "a lifetime is at most once": ({"limits": (limit("cost", 0.01, "lifetime"),)}, "0.01", ("cost-lifetime",)),
    "everybody's breaker is a customer's too": (
        {"limits": (limit("cost", 0.001, "day", scope="plan"),)}, "0.031", ("cost-day",),
    ),
    "two calendar months meet in a period": (
        {"limits": (limit("cost", 0.02, "period", scope="everyone"),)}, "0.04", ("cost-period",),
    ),
    "users may be many": ({"limits": (limit("calls", 1, "day", scope="user"),)}, "0.1", ("included credits",)),
    "a soft limit lets pass": ({"limits": (limit("calls", 1, kind="soft"),)}, "0.1", ("included credits",)),
    "another tier's limit is no limit": ({"limits": (limit("calls", 1, tier_id=2),)}, "0.1", ("included credits",)),
    # 1,000 tokens of input are 0.1 credits and 0.0001 USD: the proportion stays.
    "smaller calls, more of them": ({"limits": (limit("tokens", 1_000, "draw"),)}, "0.1", ("included credits",)),
    # At most 310 of them, 0.001 USD each.
    "small calls, few of them": (
        {"limits": (limit("tokens", 10_000, "draw"), limit("calls", 10, "day"))}, "0.1", ("included credits",),
    ),
    "what is charged nothing has no end": ({"entitlements": SEARCH_AND_CHAT}, None, ()),
    # 3 × 0.0232 of search, charged nothing, and the credits go to chat.
    "unless a limit of its own ends it": (
        {"entitlements": SEARCH_AND_CHAT, "limits": (limit("calls", 3, feature_id=3),)},
        "0.1696", ("included credits", "calls-period"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_dearest_case(case: str) -> None:
    parts, cost, held_by = CASES[case]
    found = audit(offer(**parts)).dearest
    assert usd(found) == (None if cost is None else Fraction(cost))
    assert found.limits == held_by


def test_the_case_says_what_it_is_made_of() -> None:
    (line,) = audit(offer()).dearest.mix
    assert (line.feature, line.model, line.calls, line.input_tokens, line.output_tokens) == (
        "chat", "gpt-4o-mini", 5, 200_000, 0,
    )  # fmt: skip
    assert (line.microcredits, line.cost_nano) == (100 * CREDIT, 100_000_000)


def test_overage_adds_what_its_cap_allows() -> None:
    """1,000 credits more at a tenth of a cent; they earn 20 USD."""
    parts: dict[str, Any] = {"entitlements": chat_right(at_limit="overage"), "overage_price": "0.02"}
    found = audit(offer(**parts, spend_cap_microcredits=1_000 * CREDIT))
    assert usd(found.dearest) == Fraction("1.1")
    assert found.dearest.revenue_nano == 49 * 10**9
    assert found.dearest.limits == ("included credits", "spend cap")


def test_profitable_overage_without_a_cap_is_endless_cost_but_no_worse_a_margin() -> None:
    parts: dict[str, Any] = {"entitlements": chat_right(at_limit="overage"), "overage_price": "0.02"}
    found: Any = audit(offer(**parts))
    assert found.dearest.cost_nano is None
    assert (usd(found.thinnest), found.thinnest.revenue_nano) == (Fraction("0.1"), 29 * 10**9)


def test_overage_below_cost_without_a_cap_has_no_thinnest_margin() -> None:
    parts: dict[str, Any] = {"entitlements": chat_right(at_limit="overage"), "overage_price": "0.0005"}
    assert audit(offer(**parts)).thinnest.margin_nano is None


def test_our_other_costs_are_in_it() -> None:
    """30 USD a customer, two seats at 2.35, 0.3 a payment, 0.1 for a hundred credits and 0.1 of inference: 35.2."""

    def line(basis: Basis, amount_nano: int = 0, percent_e4: int = 0, seats: int = 1) -> LineTerms:
        return LineTerms(1, "x", "X", basis, amount_nano, "USD", percent_e4, LONG_AGO.date(), seats=seats)

    lines = (
        line(Basis.PER_CUSTOMER, 30 * 10**9),
        line(Basis.PER_SEAT, 2_350_000_000, seats=2),
        line(Basis.PER_PAYMENT, 300_000_000, percent_e4=30_000),
        line(Basis.PER_CREDIT, 10**6),
        line(Basis.PERCENT_OF_REVENUE, percent_e4=70_000),
    )
    found = audit(offer(lines=lines)).dearest
    assert usd(found) == Fraction("35.2")
    assert found.revenue_nano == Fraction("26.1") * 10**9


def test_a_plan_in_another_currency_costs_what_a_dollar_costs() -> None:
    found = audit(offer(currency="EUR", money_per_usd=Fraction("0.9")))
    assert (usd(found.dearest), found.currency) == (Fraction("0.09"), "EUR")


_CALL = st.tuples(st.integers(0, 9), st.integers(0, 9), st.fractions(0, 9), st.integers(0, 9))


@given(calls=st.lists(_CALL, max_size=7))
def test_calls_that_others_beat_never_make_the_worst_case(calls: list[tuple[int, int, Fraction, int]]) -> None:
    """Credits, tokens, what we pay besides and what the supplier gets: the best of all, however few are looked at."""
    sold = offer(limits=(limit("calls", 5), limit("tokens", 40), limit("cost", 20e-9)))
    made = [
        CallFigures(Usage(input_tokens=tokens), micro, cost + supplied, supplied)
        for micro, tokens, cost, supplied in calls
    ]
    (option,) = (one for one in audit(sold).options if one.model.key == "gpt-4o-mini")
    option = structs.replace(option, extremes=tuple(made))
    uses = [[one.microcredits, one.tokens, 1, one.cost_nanousd] for one in made]
    bounds = [included(sold), 40, 5, 20]
    best = maximise(
        [one.cost_nano for one in made], [([use[row] for use in uses], bound) for row, bound in enumerate(bounds)]
    )
    dearest, _ = worst_cases(sold, [option], fixed_cost_nano=Fraction(0), kept_share=Fraction(1))
    assert dearest.cost_nano == best.value
