"""What an overdue payment leaves of a plan: everything, what is there, or nothing, once the days of grace are over."""

from datetime import datetime, timedelta

import msgspec
import pytest

from entitlements.core.check import Answer, Question, check
from entitlements.core.decide import state_of
from entitlements.core.record import record_usage
from entitlements.core.settle import LeaseWanted, acquire
from entitlements.core.standing import PaymentOverdue
from entitlements.core.timeline import bring_up_to_date
from entitlements.services.decisions import account_of
from kernel.ids import body_digest, key_digest
from plans.terms import PlanTerms
from tests.accounts import Costs, fact, give, subscribed
from tests.shop import CREDIT, catalogue, chat_right, plan

DAY = timedelta(days=1)


def asked(terms: PlanTerms, credits: int, *, overdue: timedelta, now: datetime) -> Answer:
    """A check by a subscriber whose payment has been overdue for so long."""
    acme = subscribed(terms, now=now)
    acme.overdue_since = now - overdue
    return check(acme, Question(feature="chat", estimate=credits * CREDIT), catalogue(terms), Costs(), now, {})


def test_in_the_days_of_grace_nothing_changes_but_a_warning(now: datetime) -> None:
    answer = asked(plan(grace="block", grace_days=3), 10, overdue=3 * DAY - timedelta(seconds=1), now=now)
    assert (answer.decision, [warning.code for warning in answer.warnings]) == ("allow", ["payment_overdue"])


@pytest.mark.parametrize("feature", ["chat", "export"])
def test_a_plan_that_blocks_refuses_everything_after_them(now: datetime, feature: str) -> None:
    strict = plan(grace="block", grace_days=3)
    acme = subscribed(strict, now=now)
    acme.overdue_since = now - 3 * DAY
    answer = check(acme, Question(feature=feature), catalogue(strict), Costs(), now, {})
    assert (answer.decision, answer.reason) == ("deny", "payment_overdue")


def test_what_a_plan_never_had_is_refused_for_that_reason(now: datetime) -> None:
    strict = plan(grace="block", entitlements=chat_right())
    acme = subscribed(strict, now=now)
    acme.overdue_since = now
    answer = check(acme, Question(feature="export"), catalogue(strict), Costs(), now, {})
    assert answer.reason == "not_entitled"


def test_a_soft_limit_leaves_what_is_there_and_no_overage(now: datetime) -> None:
    soft = plan(grace="soft_limit", entitlements=chat_right(at_limit="overage"))
    within = asked(soft, 100, overdue=DAY, now=now)
    assert (within.decision, [warning.code for warning in within.warnings]) == ("allow", ["payment_overdue"])
    beyond = asked(soft, 101, overdue=DAY, now=now)
    assert (beyond.decision, beyond.reason) == ("deny", "payment_overdue")
    assert asked(soft, 101, overdue=-DAY, now=now).reason == "overage"


def test_a_plan_that_keeps_everything_keeps_it_for_good(now: datetime) -> None:
    kept = plan(entitlements=chat_right(at_limit="overage"))
    assert asked(kept, 101, overdue=365 * DAY, now=now).decision == "allow"


def test_no_credits_are_leased_to_who_is_blocked(now: datetime) -> None:
    strict = plan(grace="block")
    acme = subscribed(strict, now=now)
    acme.overdue_since = now
    wanted = LeaseWanted("l", key_digest("l"), body_digest("l"), "chat", CREDIT, 60)
    with pytest.raises(PaymentOverdue):
        acquire(acme, wanted, catalogue(strict), now)


def test_overdue_decides_the_same_again_from_the_record(now: datetime) -> None:
    strict = plan(grace="block")
    acme = subscribed(strict, now=now)
    acme.overdue_since = now
    again = account_of(msgspec.json.decode(state_of(acme, Question(feature="chat"), {})))
    assert check(again, Question(feature="chat"), catalogue(strict), Costs(), now, {}).reason == "payment_overdue"


def test_overage_billed_early_still_counts_against_the_cap_until_the_period_ends(now: datetime) -> None:
    soft = plan(
        included_microcredits=0, entitlements=chat_right(at_limit="overage"), spend_cap_microcredits=10 * CREDIT
    )
    acme = subscribed(soft, now=now)
    record_usage(acme, fact("a", at=now, stated_microcredits=6 * CREDIT), catalogue(soft), Costs(), now)
    assert acme.bill_overage(at=now, now=now) == 6 * CREDIT
    assert (acme.overage, acme.overage_billed) == (0, 6 * CREDIT)
    record_usage(acme, fact("b", at=now, stated_microcredits=6 * CREDIT), catalogue(soft), Costs(), now)
    assert (acme.overage, acme.debt) == (4 * CREDIT, 2 * CREDIT)

    renewal = acme.period_end
    assert renewal is not None
    bring_up_to_date(acme, catalogue(soft), renewal)
    assert (acme.overage, acme.overage_billed) == (0, 0)


def test_a_later_grant_pays_what_is_not_billed_yet_and_only_that(now: datetime) -> None:
    soft = plan(included_microcredits=0, entitlements=chat_right(at_limit="overage"))
    acme = subscribed(soft, now=now)
    record_usage(acme, fact("a", at=now, stated_microcredits=6 * CREDIT), catalogue(soft), Costs(), now)
    acme.bill_overage(at=now, now=now)
    record_usage(acme, fact("b", at=now, stated_microcredits=CREDIT), catalogue(soft), Costs(), now)
    give(acme, 10, now=now)
    assert (acme.posted, acme.overage, acme.overage_billed) == (9 * CREDIT, 0, 6 * CREDIT)
