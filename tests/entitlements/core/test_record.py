"""Usage that happened: charged once, to the right bucket, with its cost stamped."""

from datetime import datetime, timedelta

import pytest

from entitlements.core.record import record_usage
from entitlements.core.words import EntryKind
from kernel.errors import KeyReused
from kernel.ids import body_digest
from kernel.usage import Usage
from plans.problems import FeatureUnknown
from tests.accounts import Costs, account, fact, give, ledger_sums, subscribed
from tests.shop import CREDIT, catalogue, chat_right, plan


def test_usage_burns_at_the_plans_rate_and_stamps_what_it_was(now: datetime) -> None:
    acme = subscribed(plan(), now=now)
    recorded = record_usage(acme, fact(at=now), catalogue(), Costs(), now)
    # 1,000 in × 0.1 + 100 out × 0.4 per 1k = 0.14 credits.
    assert recorded.charged_microcredits == 140_000
    assert acme.available == 100 * CREDIT - 140_000
    row = recorded.row
    assert row is not None
    assert (row.rate_id, row.plan_version_id, row.model, row.cost_card) == (2, 1, "gpt-4o-mini", "test")
    assert row.cost_nanousd == row.computed_cost_nanousd == 110_000


def test_the_same_key_and_body_replays_before_anything_is_priced(now: datetime) -> None:
    acme = subscribed(plan(), now=now)
    first = record_usage(acme, fact(at=now), catalogue(), Costs(), now)
    dearer = Costs(gpt_4o_mini=999)
    again = record_usage(acme, fact(at=now), catalogue(plan(rate_card_id=99)), dearer, now)
    assert again.duplicate
    assert (again.charged_microcredits, again.cost_nanousd) == (first.charged_microcredits, first.cost_nanousd)
    assert len(acme.ledger) == 2  # the allowance and one burn


def test_the_same_key_with_another_body_is_refused(now: datetime) -> None:
    acme = subscribed(plan(), now=now)
    record_usage(acme, fact(at=now), catalogue(), Costs(), now)
    with pytest.raises(KeyReused):
        record_usage(acme, fact(at=now, body_digest=body_digest("other")), catalogue(), Costs(), now)


def test_usage_beyond_the_credits_is_debt_under_a_hard_limit(now: datetime) -> None:
    acme = subscribed(plan(included_microcredits=CREDIT), now=now)
    record_usage(acme, fact(at=now, stated_microcredits=3 * CREDIT), catalogue(), Costs(), now)
    assert (acme.posted, acme.debt, acme.overage) == (0, 2 * CREDIT, 0)
    assert acme.available == -2 * CREDIT


def test_usage_beyond_the_credits_is_overage_under_a_soft_limit_up_to_the_cap(now: datetime) -> None:
    soft = plan(
        included_microcredits=CREDIT, entitlements=chat_right(at_limit="overage"), spend_cap_microcredits=2 * CREDIT
    )
    acme = subscribed(soft, now=now)
    record_usage(acme, fact(at=now, stated_microcredits=5 * CREDIT), catalogue(soft), Costs(), now)
    assert (acme.posted, acme.debt, acme.overage) == (0, 2 * CREDIT, 2 * CREDIT)


def test_the_next_grant_pays_debt_first_and_then_the_periods_overage(now: datetime) -> None:
    soft = plan(included_microcredits=0, entitlements=chat_right(at_limit="overage"), spend_cap_microcredits=CREDIT)
    acme = subscribed(soft, now=now)
    record_usage(acme, fact(at=now, stated_microcredits=3 * CREDIT), catalogue(soft), Costs(), now)
    give(acme, 10, now=now + timedelta(hours=1))
    assert (acme.posted, acme.debt, acme.overage) == (7 * CREDIT, 0, 0)
    kinds = [row.kind for row in acme.ledger]
    assert kinds[-5:] == [
        EntryKind.GRANT,
        EntryKind.BURN,
        EntryKind.DEBT_PAID,
        EntryKind.BURN,
        EntryKind.OVERAGE_PAID,
    ]
    assert sum(ledger_sums(acme).values()) == acme.posted - acme.debt - acme.overage


def test_an_unknown_model_is_stored_unpriced_never_free(now: datetime) -> None:
    acme = subscribed(plan(), now=now)
    recorded = record_usage(acme, fact(at=now, model="mystery-9"), catalogue(), Costs(), now)
    assert recorded.cost_nanousd is None
    assert recorded.row is not None
    assert recorded.row.model == recorded.row.reported_model == "mystery-9"
    # Chat's own row without model or tier still says what an action costs.
    assert recorded.charged_microcredits == 2 * CREDIT


def test_without_a_plan_usage_is_kept_unrated(now: datetime) -> None:
    acme = account()
    recorded = record_usage(acme, fact(at=now), catalogue(), Costs(), now)
    assert recorded.charged_microcredits is None
    assert recorded.cost_nanousd == 110_000
    assert acme.ledger == []


def test_an_unknown_feature_is_refused(now: datetime) -> None:
    with pytest.raises(FeatureUnknown):
        record_usage(account(), fact(at=now, feature="nope"), catalogue(), Costs(), now)


def test_a_reported_cost_wins_and_ours_is_kept_beside_it(now: datetime) -> None:
    recorded = record_usage(account(), fact(at=now, reported_cost_nanousd=5), catalogue(), Costs(), now)
    assert recorded.row is not None
    assert recorded.row.cost_nanousd == 5
    assert recorded.row.computed_cost_nanousd == 110_000


def test_a_memoised_answer_cost_nothing_and_that_is_known(now: datetime) -> None:
    recorded = record_usage(account(), fact(at=now, memoised=True, usage=Usage()), catalogue(), Costs(), now)
    assert recorded.cost_nanousd == 0


def test_late_usage_burns_what_is_there_now_and_is_dated_when_it_happened(now: datetime) -> None:
    acme = subscribed(plan(), now=now)
    late = now - timedelta(days=3)
    record_usage(acme, fact(at=late), catalogue(), Costs(), now)
    burn = acme.ledger[-1]
    assert (burn.effective_at, burn.recorded_at) == (late, now)


def test_a_burn_names_every_grant_that_paid_in_burn_order(now: datetime) -> None:
    acme = account()
    later = give(acme, 1, now=now, key="later", expires_at=now + timedelta(days=9))
    sooner = give(acme, 1, now=now, key="sooner", expires_at=now + timedelta(days=2))
    acme.charge(int(1.5 * CREDIT), overage_room=0, at=now, now=now, event=fact(at=now).key_digest)
    burns = [(row.grant_id, row.amount_microcredits) for row in acme.ledger if row.kind == EntryKind.BURN]
    assert burns == [(sooner.id, -CREDIT), (later.id, -CREDIT // 2)]
    assert sooner.closed_at == now
    assert later.remaining == CREDIT // 2


def test_a_customers_own_cap_bounds_overage_below_the_plans_and_never_above(now: datetime) -> None:
    soft = plan(included_microcredits=0, entitlements=chat_right(at_limit="overage"), spend_cap_microcredits=4 * CREDIT)
    for own, overage in ((None, 4), (1, 1), (0, 0), (9, 4)):
        acme = subscribed(soft, now=now)
        acme.spend_cap = None if own is None else own * CREDIT
        record_usage(acme, fact(at=now, stated_microcredits=5 * CREDIT), catalogue(soft), Costs(), now)
        assert (acme.overage, acme.debt) == (overage * CREDIT, (5 - overage) * CREDIT), own


def test_a_customers_own_cap_holds_where_the_plan_has_none(now: datetime) -> None:
    soft = plan(included_microcredits=0, entitlements=chat_right(at_limit="overage"))
    acme = subscribed(soft, now=now)
    acme.spend_cap = 2 * CREDIT
    record_usage(acme, fact("e1", at=now, stated_microcredits=3 * CREDIT), catalogue(soft), Costs(), now)
    assert (acme.overage, acme.debt) == (2 * CREDIT, CREDIT)
