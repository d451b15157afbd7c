"""What if: candidate plans, rates, costs and models, against worked figures."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moneyed import Money

from kernel.usage import Usage
from margins.simulation.scenario import ModelMove
from metering.models import CostCard
from plans.models import FallbackStep, PlanEntitlement, PlanLimit, PlanVersion, Rate, RateCardVersion, TokenRate
from tests.accounts import fact
from tests.margins.simulation.conftest import Simulate, row
from tests.world import CREDIT, LONG_AGO, Actor, World

THOUSAND = Usage(input_tokens=1_000)
START = datetime(2026, 11, 1, tzinfo=UTC)


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


@pytest.fixture
def acme(world: World) -> Actor:
    """On Pro at $29 with 100 credits since the 1st: ten calls of a tenth of a credit each, one a day at noon."""
    actor = Actor("acme", START, world.pro)
    for day in range(2, 12):
        actor.uses(fact(f"c{day}", at=at(day), usage=THOUSAND, user_key="ann" if day % 2 else "bob"), now=at(day))
    return actor


def draft(world: World, *limits: dict[str, Any], of: PlanVersion | None = None, **terms: Any) -> PlanVersion:
    """A draft of the next version of Pro, with chat up to economy and these limits."""
    like = of or world.pro
    rights = {name: terms.pop(name) for name in ("at_limit", "max_tier") if name in terms}
    usual: dict[str, Any] = {
        "plan": like.plan, "number": like.number + 1, "price": like.price, "rate_card": world.card,
        "included_microcredits": like.included_microcredits,
    }  # fmt: skip
    version = PlanVersion.objects.create(**(usual | terms))
    PlanEntitlement.objects.create(plan_version=version, feature=world.chat, **({"max_tier": world.economy} | rights))
    for limit in limits:
        PlanLimit.objects.create(plan_version=version, **limit)
    return version


def limit(key: str, **parts: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"key": key, "scope": "customer", "unit": "calls", "window": "day", "kind": "hard"}
    return usual | parts


def test_a_dearer_rate_card_charges_more_until_the_credits_are_gone(
    acme: Actor, world: World, simulate: Simulate
) -> None:
    """A tenth of a credit a call becomes 15: the allowance of 100 pays for six of the ten."""
    version = RateCardVersion.objects.create(card=world.card, number=2, effective_from=at(1) + timedelta(days=99))
    rate = Rate.objects.create(version=version, feature=world.chat, tier=world.economy)
    TokenRate.objects.create(rate=rate, kind="input_tokens", microcredits=15 * CREDIT, per=1000)
    observed = row(simulate(rate_card_version_id=version.pk, limits="observe"))
    assert (observed.real_microcredits, observed.microcredits) == (CREDIT, 150 * CREDIT)
    assert (observed.calls, observed.debt_microcredits) == (10, 50 * CREDIT)
    enforced = row(simulate(rate_card_version_id=version.pk))
    assert (enforced.calls, enforced.refused_calls) == (6, 4)
    assert (enforced.microcredits, enforced.lost_microcredits) == (90 * CREDIT, 60 * CREDIT)
    assert (enforced.first_limit, enforced.first_limit_at) == ("balance", at(8))
    assert enforced.saved_nanousd * 10 == enforced.real_cost_nanousd * 4
    assert enforced.cost_nanousd + enforced.saved_nanousd == enforced.real_cost_nanousd
    assert enforced.debt_microcredits == 0


def test_another_price_earns_its_share_of_the_month(acme: Actor, world: World, simulate: Simulate) -> None:
    done = simulate(plan_version_id=draft(world, price=Money("59", "USD")).pk)
    mine = row(done)
    assert (mine.real_revenue_nano, mine.revenue_nano) == (29 * 10**9, 59 * 10**9)
    (total,) = done.totals
    assert (total["currency"], total["revenue_nano"], total["customers"]) == ("USD", str(59 * 10**9), 1)


def test_a_plan_is_sold_to_those_it_is_to_be_sold_to(acme: Actor, world: World, simulate: Simulate) -> None:
    other = Actor("other", START, world.metered)
    other.uses(fact("o1", at=at(5), usage=THOUSAND), now=at(5))
    version = draft(world, price=Money("10", "USD"))
    assert row(simulate(plan_version_id=version.pk), "other").revenue_nano == 2 * 10**6
    instead = simulate(plan_version_id=version.pk, instead_of=("metered",))
    assert row(instead, "other").revenue_nano == 10 * 10**9
    assert row(instead).revenue_nano == 29 * 10**9
    assert row(instead, "other").plan == "pro"


WINDOWS: list[tuple[str, dict[str, Any], int, datetime]] = [
    ("nine calls a period", {"window": "period", "value": 9}, 1, at(11)),
    ("four calls of a user", {"scope": "user", "window": "lifetime", "value": 4}, 2, at(10)),
    ("a third of a credit", {"unit": "credits", "window": "period", "value": CREDIT // 3}, 7, at(5)),
    ("2,500 tokens", {"unit": "tokens", "window": "period", "value": 2_500}, 8, at(4)),
    ("no call on a tier", {"window": "period", "value": 1, "tier": True}, 9, at(3)),
]


@pytest.mark.parametrize(
    ("parts", "refused", "first"), [each[1:] for each in WINDOWS], ids=[each[0] for each in WINDOWS]
)
def test_a_hard_limit_refuses_what_it_would_have_refused(
    acme: Actor, world: World, simulate: Simulate, parts: dict[str, Any], refused: int, first: datetime
) -> None:
    if "tier" in parts:
        parts = parts | {"tier": world.economy}
    version = draft(world, limit("brake", **parts))
    mine = row(simulate(plan_version_id=version.pk))
    assert (mine.refused_calls, mine.calls) == (refused, 10 - refused)
    assert (mine.first_limit, mine.first_limit_at) == ("brake", first)
    assert mine.lost_microcredits == refused * CREDIT // 10
    assert mine.cost_nanousd == mine.real_cost_nanousd * (10 - refused) // 10
    (met,) = mine.details["limits"]
    assert met == {"limit": "brake", "first_at": first.isoformat(), "calls": refused}


def test_a_days_limit_lets_the_next_day_in(acme: Actor, world: World, simulate: Simulate) -> None:
    for number in range(4):
        acme.uses(fact(f"again{number}", at=at(5, 13 + number), usage=THOUSAND), now=at(20))
    mine = row(simulate(plan_version_id=draft(world, limit("daily", value=2)).pk))
    assert (mine.refused_calls, mine.first_limit_at) == (3, at(5, 14))


def test_a_limit_that_is_only_told_refuses_nothing(acme: Actor, world: World, simulate: Simulate) -> None:
    version = draft(world, limit("soft", kind="soft", window="period", value=8))
    mine = row(simulate(plan_version_id=version.pk))
    assert (mine.refused_calls, mine.calls, mine.first_limit, mine.first_limit_at) == (0, 10, "soft", at(10))
    PlanLimit.objects.update(key="hard", kind="hard")
    observed = row(simulate(plan_version_id=version.pk, limits="observe"))
    assert (observed.refused_calls, observed.first_limit, observed.details["limits"][0]["calls"]) == (0, "hard", 2)


def test_what_the_billing_period_had_taken_before_counts(world: World, simulate: Simulate) -> None:
    """A period from the 20th to the 20th: four calls in October leave one of five for November's first days."""
    since = datetime(2026, 10, 20, tzinfo=UTC)
    acme = Actor("acme", since, world.pro)
    for number in range(4):
        moment = since + timedelta(days=1, hours=number)
        acme.uses(fact(f"o{number}", at=moment, usage=THOUSAND), now=moment)
    for day in (3, 4, 22):
        acme.uses(fact(f"n{day}", at=at(day), usage=THOUSAND), now=at(day))
    mine = row(simulate(plan_version_id=draft(world, limit("five", window="period", value=5)).pk))
    assert (mine.calls, mine.refused_calls, mine.first_limit_at) == (2, 1, at(4))


def test_an_allowance_in_mid_period_counts_what_was_used_of_the_old_one(world: World, simulate: Simulate) -> None:
    since = datetime(2026, 10, 20, tzinfo=UTC)
    acme = Actor("acme", since, world.pro)
    acme.spends(30, key="before", now=since + timedelta(days=1))
    acme.spends(15, key="in", now=at(3))
    acme.spends(25, key="renewed", now=at(25))
    version = draft(world, included_microcredits=40 * CREDIT)
    mine = row(simulate(plan_version_id=version.pk))
    assert (mine.calls, mine.refused_calls, mine.first_limit_at) == (1, 1, at(3))
    assert mine.microcredits == 25 * CREDIT


def test_overage_is_sold_up_to_its_cap(acme: Actor, world: World, simulate: Simulate) -> None:
    """No allowance, 2 cents a credit, at most half a credit of overage: five calls of a tenth, a cent."""
    version = draft(
        world, included_microcredits=0, at_limit="overage", overage_price=Money("0.02", "USD"),
        spend_cap_microcredits=CREDIT // 2,
    )  # fmt: skip
    mine = row(simulate(plan_version_id=version.pk))
    assert (mine.calls, mine.refused_calls) == (5, 5)
    assert mine.details["revenue"]["overage"] == 10**7
    assert {met["limit"]: met["first_at"] for met in mine.details["limits"]} == {
        "overage": at(2).isoformat(), "balance": at(7).isoformat(),
    }  # fmt: skip


def test_calls_sent_to_a_cheaper_model_cost_and_charge_what_it_does(world: World, simulate: Simulate) -> None:
    plan = world.plan("max", price="99", included=100, max_tier=world.premium)
    acme = Actor("acme", START, plan)
    large: Callable[..., Any] = lambda key, day, **parts: fact(key, at=at(day), model="gpt-4o", usage=THOUSAND, **parts)  # noqa: E731
    acme.uses(large("a", 2), large("b", 3, memoised=True), large("c", 4, reported_cost_nanousd=10**9), now=at(5))
    move = {"source": "gpt-4o", "target": "gpt-4o-mini"}
    mine = row(simulate(moves=(ModelMove(**move),)))
    assert (mine.moved_calls, mine.real_microcredits, mine.microcredits) == (3, 3 * CREDIT, 3 * CREDIT // 10)
    # $0.15 per million tokens of gpt-4o-mini; a memoised answer reaches no model.
    assert (mine.real_cost_nanousd, mine.cost_nanousd) == (2_500_000 + 10**9, 2 * 150_000)
    other_feature = row(simulate(moves=(ModelMove(**move, feature="export"),)))
    assert (other_feature.moved_calls, other_feature.microcredits) == (0, 3 * CREDIT)


def test_a_draft_cost_card_costs_what_it_says_and_the_providers_word_stands(acme: Actor, simulate: Simulate) -> None:
    acme.uses(fact("told", at=at(20), usage=THOUSAND, reported_cost_nanousd=7), now=at(20))
    card = CostCard.objects.create(model="gpt-4o-mini", effective_from=at(6))
    card.rates.create(kind="input_tokens", rate_nanousd_per_million=10**9)
    mine = row(simulate(cost_card_ids=(card.pk,)))
    assert mine.real_cost_nanousd == 10 * 150_000 + 7
    assert mine.cost_nanousd == 4 * 150_000 + 6 * 1_000_000 + 7
    assert mine.microcredits == mine.real_microcredits


def test_a_tier_that_is_not_sold_falls_back_along_the_chain(world: World, simulate: Simulate) -> None:
    plan = world.plan("max", price="99", included=100, max_tier=world.premium)
    acme = Actor("acme", START, plan)
    acme.uses(fact("a", at=at(2), model="gpt-4o", usage=THOUSAND), now=at(2))
    version = draft(world, of=plan)
    refused = row(simulate(plan_version_id=version.pk))
    assert (refused.calls, refused.refused_calls, refused.first_limit) == (0, 1, "model_tier_not_allowed")
    FallbackStep.objects.create(plan_version=version, position=1, model=world.small)
    mine = row(simulate(plan_version_id=version.pk))
    assert (mine.calls, mine.downgraded_calls, mine.microcredits) == (1, 1, CREDIT // 10)
    assert (mine.real_cost_nanousd, mine.cost_nanousd) == (2_500_000, 150_000)


def test_candidates_that_are_published_need_not_be_the_latest(acme: Actor, world: World, simulate: Simulate) -> None:
    newer = draft(world, price=Money("1", "USD"))
    newer.status, newer.published_at = PlanVersion.Status.PUBLISHED, LONG_AGO
    newer.save()
    assert row(simulate(plan_version_id=newer.pk)).revenue_nano == 10**9
    assert row(simulate(plan_version_id=world.pro.pk)).revenue_nano == 29 * 10**9
