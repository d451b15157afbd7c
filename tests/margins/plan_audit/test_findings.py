"""A table of plans, each with exactly its finding, and the figures in its sentence worked by hand.

An ordinary call is 3,000 tokens in and 1,000 out: 0.7 credits on the small model. At 35,000 nano-USD a token it costs
0.14 USD, 0.2 a credit; at 70,000 it is 0.28 and 0.4. The plan's credit earns 29 / 100 = 0.29 USD.
"""

from fractions import Fraction
from typing import Any

import pytest

from kernel.usage import Usage
from margins.plan_audit.auditing import audit
from margins.plan_audit.terms import Burn, ObservedUse, PackTerms
from plans.auditing import Finding
from plans.terms import RateCardTerms
from tests import shop
from tests.accounts import Costs
from tests.margins.plan_audit.offers import ORDINARY, SEARCH_AND_CHAT, limit, offer
from tests.shop import CREDIT, LONG_AGO, chat_right

DEAR: dict[str, Any] = {"nano_per_token": 35_000, "assumed": ORDINARY}
OVERAGE: dict[str, Any] = {"entitlements": chat_right(at_limit="overage"), "spend_cap_microcredits": 1_000 * CREDIT}
ONLY_ECONOMY = RateCardTerms(1, 1, "standard", 1, LONG_AGO, "up", 1, shop.RATES[1:2])


def use(p50: int, p95: int) -> ObservedUse:
    """What the half-way and the heavy one of 40 subscribers used: dollars, and a credit for each."""
    return ObservedUse(40, 30, *(Burn(dollars * CREDIT, dollars * 10**9) for dollars in (p50, p95)))


PLANS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "one that keeps its margin": ({}, []),
    "use without end at a flat price": ({"entitlements": SEARCH_AND_CHAT}, [("blocking", "unlimited_use")]),
    "the same under a limit of calls": (
        {"entitlements": SEARCH_AND_CHAT, "limits": (limit("calls", 100, "day"),)},
        [("warning", "worst_case_loses")],
    ),
    "use without end as overage for nothing": (
        {**DEAR, "entitlements": chat_right(at_limit="overage"), "overage_price": "0"},
        [("blocking", "unlimited_use"), ("blocking", "overage_below_cost"), ("info", "overage_without_cap")],
    ),
    "a tier below its cost": (
        {"nano_per_token": 70_000, "assumed": ORDINARY},
        [("blocking", "tier_below_cost"), ("warning", "worst_case_loses")],
    ),
    "overage below its cost": (
        {**DEAR, **OVERAGE, "overage_price": "0.15"},
        [("blocking", "overage_below_cost"), ("warning", "worst_case_loses")],
    ),
    "overage above its cost": ({**DEAR, **OVERAGE, "overage_price": "0.25"}, []),
    "overage without an end": (
        {**DEAR, "entitlements": chat_right(at_limit="overage"), "overage_price": "0.25"},
        [("info", "overage_without_cap")],
    ),
    "a pack below its cost": (
        {**DEAR, "packs": (PackTerms("small", 110 * CREDIT, 11 * 10**9, "USD"),)},
        [("blocking", "pack_below_cost")],
    ),
    "a pack above its cost": ({**DEAR, "packs": (PackTerms("small", 50 * CREDIT, 11 * 10**9, "USD"),)}, []),
    "a pack in another currency": ({**DEAR, "packs": (PackTerms("small", 110 * CREDIT, 1, "EUR"),)}, []),
    "long inputs below their cost": (
        # 200,000 tokens in: 7 USD for 20 credits, 0.35 a credit.
        {"nano_per_token": 35_000},
        [("warning", "worst_case_loses"), ("warning", "calls_below_cost")],
    ),
    "an agent without a cap on its runs": ({"agents": frozenset({1})}, [("warning", "run_without_cap")]),
    "an agent with one": (
        {"agents": frozenset({1}), "limits": (limit("credits", 5, "run", scope="run", feature_id=1),)},
        [],
    ),
    "an agent with a soft one": (
        {"agents": frozenset({1}), "limits": (limit("credits", 5, "run", scope="run", kind="soft"),)},
        [("warning", "run_without_cap")],
    ),
    "rollover that stacks": ({"rollover_max_microcredits": 250 * CREDIT}, [("warning", "rollover_stacks")]),
    "rollover of one period": ({"rollover_max_microcredits": 100 * CREDIT}, []),
    "models nobody knows": ({"unpriced": "allow"}, [("warning", "unpriced_models_allowed")]),
    "models whose cost nobody knows": (
        {"entitlements": chat_right(max_rank=2)},
        [("warning", "model_cost_unknown")],
    ),
    "a model without a rate, within a limit": (
        {
            "entitlements": chat_right(max_rank=2),
            "card": ONLY_ECONOMY,
            "costs": Costs(gpt_4o_mini=100, gpt_4o=100, claude_opus_4_6=100),
            "limits": (limit("calls", 10, "day"),),
        },
        [("warning", "model_not_rated")],
    ),
    "credits for nothing": ({"price": "0"}, [("info", "given_away")]),
    "a currency nobody converts": ({"currency": "EUR", "money_per_usd": None}, [("info", "no_exchange_rate")]),
    "subscribers who pay for themselves": ({"use": use(10, 20)}, []),
    "heavy ones who do not": ({"use": use(10, 40)}, [("warning", "heavy_customer_loses")]),
    "half of whom do not": (
        {"use": use(30, 40)},
        [("blocking", "typical_customer_loses"), ("warning", "heavy_customer_loses")],
    ),
}


@pytest.mark.parametrize("case", PLANS)
def test_each_plan_has_exactly_its_findings(case: str) -> None:
    parts, expected = PLANS[case]
    assert [(found.severity, found.code) for found in audit(offer(**parts)).findings] == expected


def finding(code: str, **parts: Any) -> Finding:
    return next(found for found in audit(offer(**parts)).findings if found.code == code)


SENTENCES: dict[str, tuple[str, dict[str, Any], str]] = {
    "unlimited": (
        "unlimited_use",
        {"entitlements": SEARCH_AND_CHAT},
        # 232,000 tokens at 100 nano-USD, a thousand times.
        (
            "search on gpt-4o-mini is charged nothing and no hard limit of a customer counts it: for 29 USD a month it "
            "may be used without end. A call of 200,000 tokens in and 32,000 out on gpt-4o-mini, a thousand times, "
            "costs us 23.2 USD."
        ),
    ),
    "tier": (
        "tier_below_cost",
        {"nano_per_token": 70_000, "assumed": ORDINARY},
        (
            "economy: an ordinary call of chat on gpt-4o-mini costs us 0.4 USD a credit, and a credit earns 0.29 USD "
            "(29 USD a month for 100)."
        ),
    ),
    "overage": (
        "overage_below_cost",
        {**DEAR, **OVERAGE, "overage_price": "0.15"},
        (
            "A credit of overage is sold at 0.15 USD, and an ordinary call of chat on gpt-4o-mini costs us 0.2 USD a "
            "credit: each loses 0.05 USD, until 1000 credits a period."
        ),
    ),
    "pack": (
        "pack_below_cost",
        PLANS["a pack below its cost"][0],
        # 110 credits at 0.2 are 22 USD, sold for 11.
        (
            "The pack small sells a credit at 0.1 USD, and an ordinary call of chat on gpt-4o-mini costs us 0.2 USD a "
            "credit: burned on it, the pack loses 11 USD."
        ),
    ),
    "worst case": (
        "worst_case_loses",
        {**DEAR, **OVERAGE, "overage_price": "0.15"},
        # 1,100 credits at 0.2 cost 220 USD; 29 and 1,000 × 0.15 are paid.
        (
            "Within its limits a customer can cost 220 USD and pay 179 USD: chat on gpt-4o-mini, held back by included "
            "credits and spend cap."
        ),
    ),
    "rollover": (
        "rollover_stacks",
        {"rollover_max_microcredits": 250 * CREDIT},
        "Up to 250 credits roll over of 100 included: after 3 idle periods a customer can burn 350 in one.",
    ),
    "agent": (
        "run_without_cap",
        {"agents": frozenset({1})},
        "Nothing stops a single run of chat: 1,000 calls in a loop cost 0.4 USD.",
    ),
    "heavy": (
        "heavy_customer_loses",
        {"use": use(10, 40)},
        (
            "One subscriber in twenty (of 40) costs 40 USD a period or more by what was used in the last 30 days, and "
            "pays 29 USD."
        ),
    ),
    "given away": (
        "given_away",
        {"price": "0"},
        # Half of a hundred credits in ordinary calls: 50 ÷ 0.7 × 0.0004.
        "100 credits a month are free: a customer costs up to 0.1 USD, 0.028571 USD half-way.",
    ),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_a_finding_says_its_figures(case: str) -> None:
    code, parts, sentence = SENTENCES[case]
    found = finding(code, **parts)
    assert found.detail == sentence
    assert found.remedy.endswith(".")


def test_a_finding_names_the_models_and_limits_it_rests_on() -> None:
    unpriced = finding("model_cost_unknown", entitlements=chat_right(max_rank=2))
    assert unpriced.models == ("claude-opus-4-6", "gpt-4o")
    bounded = finding("worst_case_loses", entitlements=SEARCH_AND_CHAT, limits=(limit("calls", 100, "day"),))
    assert bounded.limits == ("calls-day",)


def test_what_is_known_of_real_calls_is_taken_for_ordinary() -> None:
    """1,000 tokens in and none out are 0.1 credits: at 35,000 nano-USD a token, 0.35 USD a credit."""
    short = Usage(input_tokens=1_000)
    found = finding("tier_below_cost", **DEAR, typical={(1, "gpt-4o-mini"): short})
    assert "costs us 0.35 USD a credit" in found.detail


def test_the_half_way_and_the_heavy_customer_before_there_are_any() -> None:
    """Half of the credits and all of them, at 0.2 USD a credit."""
    found: Any = audit(offer(**DEAR))
    assert (found.p50.cost_nano, found.p95.cost_nano) == (10 * 10**9, 20 * 10**9)
    assert found.p95.margin_nano == 9 * 10**9


def test_a_metered_plan_is_assumed_to_be_used_for_so_many_credits() -> None:
    """1,000 credits half-way; the heavy one's 10,000 stop at the cap of 1,000. 0.2 each, sold at 0.25."""
    found: Any = audit(offer(**DEAR, **OVERAGE, overage_price="0.25", price="0", included_microcredits=0))
    assert (found.p50.cost_nano, found.p50.revenue_nano) == (200 * 10**9, 250 * 10**9)
    assert found.p95 == found.p50


def test_a_year_is_measured_by_its_days() -> None:
    found = audit(offer(interval="year", use=use(10, 20)))
    assert found.p50.cost_nano == Fraction(10 * 365, 30) * 10**9
