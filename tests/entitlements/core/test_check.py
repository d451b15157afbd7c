"""One answer with its reason and its remedy, in the documented order of reasons."""

from datetime import datetime

import pytest

from entitlements.core.account import Account, OwnEntitlement
from entitlements.core.check import Answer, Question
from entitlements.core.check import check as decide_check
from kernel.usage import Usage
from plans.catalogue import Catalogue
from plans.problems import FeatureUnknown
from plans.terms import LimitTerms
from tests.accounts import Costs, account, subscribed
from tests.shop import CREDIT, HUGE, LARGE, SMALL, catalogue, chat_right, plan


def check(acme: Account, question: Question, shop: Catalogue, now: datetime) -> Answer:
    return decide_check(acme, question, shop, Costs(), now, {})


def test_a_customer_without_a_plan_is_not_entitled_and_is_told_what_would_help(now: datetime) -> None:
    answer = check(account(), Question(feature="chat"), catalogue(), now)
    assert (answer.decision, answer.reason) == ("deny", "not_entitled")
    assert answer.remedy is not None
    assert answer.remedy.upgrade_to == "pro"


def test_an_unknown_feature_is_an_error_not_a_denial(now: datetime) -> None:
    with pytest.raises(FeatureUnknown):
        check(account(), Question(feature="nope"), catalogue(), now)


def test_a_boolean_feature_needs_no_credits(now: datetime) -> None:
    broke = plan(included_microcredits=0)
    answer = check(subscribed(broke, now=now), Question(feature="export"), catalogue(broke), now)
    assert answer.decision == "allow"


def test_a_free_action_is_allowed_with_nothing_left(now: datetime) -> None:
    broke = plan(included_microcredits=0)
    answer = check(subscribed(broke, now=now), Question(feature="search"), catalogue(broke), now)
    assert (answer.decision, answer.needed_microcredits) == ("allow", 0)


def test_an_estimate_in_tokens_is_priced_at_the_models_own_rate(now: datetime) -> None:
    tokens = Usage(input_tokens=1000, output_tokens=1000)
    question = Question(feature="chat", model="gpt-4o-mini-2024-07-18", estimate=tokens)
    answer = check(subscribed(plan(), now=now), question, catalogue(), now)
    assert (answer.decision, answer.needed_microcredits) == ("allow", CREDIT // 2)
    assert answer.model == "gpt-4o-mini-2024-07-18"


@pytest.mark.parametrize(("estimate", "decision"), [(100 * CREDIT, "allow"), (100 * CREDIT + 1, "deny")])
def test_the_balance_decides_to_the_microcredit(now: datetime, estimate: int, decision: str) -> None:
    answer = check(subscribed(plan(), now=now), Question(feature="chat", estimate=estimate), catalogue(), now)
    assert answer.decision == decision


def test_one_credit_left_does_not_allow_a_call_of_500(now: datetime) -> None:
    poor = plan(included_microcredits=CREDIT)
    answer = check(subscribed(poor, now=now), Question(feature="chat", estimate=500 * CREDIT), catalogue(poor), now)
    assert (answer.decision, answer.reason) == ("deny", "insufficient_credits")
    assert answer.limiting is not None
    assert (answer.limiting.limit, answer.limiting.value) == ("balance", CREDIT)
    assert answer.limiting.resets_at is not None


def test_no_estimate_and_nothing_left_is_a_no(now: datetime) -> None:
    broke = plan(included_microcredits=0)
    question = Question(feature="chat", model="gpt-4o-mini")
    assert check(subscribed(broke, now=now), question, catalogue(broke), now).decision == "deny"


def test_a_model_above_the_tier_falls_back_along_the_chain(now: datetime) -> None:
    chained = plan(fallbacks=(HUGE, SMALL))
    answer = check(subscribed(chained, now=now), Question(feature="chat", model="gpt-4o"), catalogue(chained), now)
    assert (answer.decision, answer.reason, answer.model) == ("downgrade", "model_tier_not_allowed", "gpt-4o-mini")


def test_without_a_chain_the_tier_is_a_no_with_the_plan_that_allows_it(now: datetime) -> None:
    team = plan(id=2, plan_key="team", price="99", entitlements=chat_right(max_rank=2))
    shop = catalogue(plan(), team)
    answer = check(subscribed(plan(), now=now), Question(feature="chat", model="gpt-4o"), shop, now)
    assert (answer.decision, answer.reason) == ("deny", "model_tier_not_allowed")
    assert answer.remedy is not None
    assert answer.remedy.upgrade_to == "team"


def test_tier_is_asked_before_balance(now: datetime) -> None:
    broke = plan(included_microcredits=0)
    answer = check(subscribed(broke, now=now), Question(feature="chat", model="gpt-4o"), catalogue(broke), now)
    assert answer.reason == "model_tier_not_allowed"


def test_a_dear_model_is_downgraded_when_the_credits_only_reach_for_a_cheap_one(now: datetime) -> None:
    tight = plan(
        included_microcredits=CREDIT,
        entitlements=chat_right(max_rank=2, at_limit="downgrade"),
        fallbacks=(LARGE, SMALL),
    )
    question = Question(feature="chat", model="gpt-4o", estimate=Usage(input_tokens=2000))
    answer = check(subscribed(tight, now=now), question, catalogue(tight), now)
    assert (answer.decision, answer.reason, answer.model) == ("downgrade", "insufficient_credits", "gpt-4o-mini")
    assert answer.needed_microcredits == CREDIT // 5


def test_a_soft_limit_allows_as_overage_up_to_the_cap_and_says_so(now: datetime) -> None:
    soft = plan(
        included_microcredits=CREDIT, entitlements=chat_right(at_limit="overage"), spend_cap_microcredits=2 * CREDIT
    )
    acme = subscribed(soft, now=now)
    allowed = check(acme, Question(feature="chat", estimate=3 * CREDIT), catalogue(soft), now)
    assert (allowed.decision, allowed.reason) == ("allow", "overage")
    assert [warning.code for warning in allowed.warnings] == ["overage"]
    assert check(acme, Question(feature="chat", estimate=3 * CREDIT + 1), catalogue(soft), now).decision == "deny"


def test_a_model_nobody_priced_follows_the_plans_setting(now: datetime) -> None:
    strict = plan(unpriced="deny")
    question = Question(feature="chat", model="mystery-9")
    assert check(subscribed(strict, now=now), question, catalogue(strict), now).reason == "model_unpriced"
    lenient = check(subscribed(plan(), now=now), question, catalogue(), now)
    assert lenient.decision == "allow"
    assert "model_unknown" in [warning.code for warning in lenient.warnings]


def test_a_customers_own_entitlement_stands_above_the_plans(now: datetime) -> None:
    acme = subscribed(plan(), now=now)
    question = Question(feature="chat", model="gpt-4o")
    acme.own_entitlements = {1: OwnEntitlement(1, True, 2, "deny", None)}
    assert check(acme, question, catalogue(), now).decision == "allow"
    acme.own_entitlements = {1: OwnEntitlement(1, False, None, "deny", None)}
    assert check(acme, question, catalogue(), now).reason == "not_entitled"


def test_debt_blocks_although_overage_would_be_allowed(now: datetime) -> None:
    soft = plan(included_microcredits=0, entitlements=chat_right(at_limit="overage"))
    acme = subscribed(soft, now=now)
    acme.debt = CREDIT
    assert check(acme, Question(feature="chat", estimate=CREDIT), catalogue(soft), now).decision == "deny"


def test_estimated_tokens_count_towards_a_limit_although_no_model_is_named(now: datetime) -> None:
    cap = LimitTerms(1, "cap", "customer", None, None, None, "tokens", "day", "hard", 1000, ())
    capped = plan(limits=(cap,))
    acme = subscribed(capped, now=now)
    question = Question(feature="chat", estimate=Usage(input_tokens=1001))
    assert check(acme, question, catalogue(capped), now).reason == "limit_reached"
