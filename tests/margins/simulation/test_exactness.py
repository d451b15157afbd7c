"""Simulating what was in force gives exactly what was: charges, costs and revenue, to the last unit."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from moneyed import Money

from entitlements.services.subscriptions import end_subscription, subscribe
from kernel.usage import Usage
from margins.models import Simulation
from metering.models import CostCard, UsageEvent
from metering.rerating.applying import apply
from metering.rerating.scope import Scope
from plans.models import RateCardVersion
from tests.accounts import fact
from tests.margins.sales import comes_back, goes_back
from tests.margins.simulation.conftest import LATER, Simulate, row
from tests.world import CREDIT, Actor, World

OCTOBER = datetime(2026, 10, 20, 8, tzinfo=UTC)


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


@pytest.fixture
def lives(world: World) -> None:
    """Customers with everything: renewals, rollover, top-ups that expire, overage, debt, a change of plan, a leaver."""
    small = world.plan("small", price="9", included=10, rollover_max_microcredits=3 * CREDIT)
    capped = world.plan("capped", price="5", included=2, at_limit="overage", overage_price="0.02",
                        spend_cap_microcredits=4 * CREDIT)  # fmt: skip
    renews = Actor("renews", OCTOBER, small)
    renews.is_granted(25, paid=Money("40", "USD"), expires_at=at(25))
    renews.spends(4, key="before", now=OCTOBER + timedelta(days=1))
    for day, tokens in ((2, 20_077), (10, 40_001), (19, 7_003), (21, 31_111), (24, 50_005), (26, 13_333)):
        renews.uses(fact(f"u{day}", at=at(day), usage=Usage(input_tokens=tokens, output_tokens=333)), now=at(day))
    meter = Actor("meter", OCTOBER, capped)
    for day in (1, 5, 12, 20, 22, 28):
        meter.spends("1.333333", key=f"m{day}", now=at(day))
    debtor = Actor("debtor", at(3), world.pro)
    debtor.spends(130, key="d1", now=at(4))
    debtor.now = at(6)
    debtor.is_granted(50, paid=Money("99", "USD"))
    debtor.spends(7, key="d2", now=at(7))
    mover = Actor("mover", OCTOBER, small)
    mover.spends(2, key="v1", now=at(2))
    subscribe("mover", world.pro, at(9))
    mover.spends(60, key="v2", now=at(10))
    leaver = Actor("leaver", at(2), world.metered)
    leaver.uses(fact("l1", at=at(3)), fact("l2", at=at(3), model="nobody-knows", provider=""), now=at(3))
    end_subscription("leaver", at(14))
    leaver.now = at(15)
    leaver.is_granted(5, paid=Money("10", "USD"))
    leaver.spends(1, key="l3", now=at(16))
    payer = Actor("payer", at(2), world.pro)
    pack = payer.is_granted(40, paid=Money("80", "USD")).id
    payer.spends(110, key="p1", now=at(3))
    goes_back(payer.row, pack, "70", at(5))
    disputed = goes_back(payer.row, pack, "5", at(6), kind="dispute")
    comes_back(payer.row, disputed, at(8))
    Actor("nobody", at(1))


def assert_nothing_differs(simulation: Simulation) -> None:
    rows = list(simulation.rows.all())
    assert len(rows) == 6
    for each in rows:
        who = each.customer_key
        assert (who, each.calls, each.refused_calls) == (who, each.real_calls, 0)
        assert (who, each.microcredits) == (who, each.real_microcredits)
        assert (who, each.cost_nanousd) == (who, each.real_cost_nanousd)
        real = {kind: earned for kind, earned in each.details["real_revenue"].items() if earned}
        assert (who, {kind: earned for kind, earned in each.details["revenue"].items() if earned}) == (who, real)
    events = UsageEvent.objects.filter(occurred_at__gte=at(1, 0), occurred_at__lt=at(30, 23))
    assert sum(each.microcredits for each in rows) == sum(event.charged_microcredits or 0 for event in events)
    assert simulation.done_calls == simulation.total_calls == events.count()


def test_nothing_changed_is_what_happened(lives: None, simulate: Simulate) -> None:
    simulation = simulate(limits="observe")
    assert_nothing_differs(simulation)
    debtor = row(simulation, "debtor")
    assert debtor.first_limit == "balance"
    assert debtor.details["revenue"]["credits"] > 0
    assert row(simulation, "payer").details["revenue"]["reversal"] < 0
    assert row(simulation, "meter").details["revenue"]["overage"] > 0
    assert row(simulation, "renews").details["revenue"]["breakage"] > 0


def test_the_cards_and_the_plan_in_force_give_what_happened(lives: None, world: World, simulate: Simulate) -> None:
    card = RateCardVersion.objects.get()
    assert_nothing_differs(simulate(limits="observe", rate_card_version_id=card.pk))
    assert_nothing_differs(simulate(limits="observe", plan_version_id=world.pro.pk))
    priced = cost_card("gpt-4o-mini")
    everything = Scope(starts_on=date(2026, 10, 1), ends_on=date(2026, 12, 31))
    apply(everything, reason="the contract", author="ann", now=LATER)
    assert_nothing_differs(simulate(limits="observe", cost_card_ids=(priced.pk,), rate_card_version_id=card.pk))


def test_re_rated_costs_are_what_happened(lives: None, simulate: Simulate) -> None:
    before = row(simulate(limits="observe"), "renews").cost_nanousd
    cost_card("gpt-4o-mini")
    everything = Scope(starts_on=date(2026, 10, 1), ends_on=date(2026, 12, 31))
    apply(everything, reason="the contract", author="ann", now=LATER)
    simulation = simulate(limits="observe")
    assert_nothing_differs(simulation)
    assert row(simulation, "renews").cost_nanousd > before


def test_limits_refuse_nothing_that_was_within_them(lives: None, simulate: Simulate) -> None:
    """With the limits enforced, those who stayed within their credits come out the same."""
    simulation = simulate(limits="enforce")
    for who in ("renews", "mover"):
        each = row(simulation, who)
        assert (each.refused_calls, each.microcredits, each.revenue_nano) == (
            0, each.real_microcredits, each.real_revenue_nano,
        )  # fmt: skip


def cost_card(model: str, dollars: int = 50, **parts: Any) -> CostCard:
    made = CostCard.objects.create(model=model, effective_from=OCTOBER - timedelta(days=300), **parts)
    for kind in ("input_tokens", "output_tokens"):
        made.rates.create(kind=kind, rate_nanousd_per_million=dollars * 10**9)
    made.status, made.published_at = CostCard.Status.PUBLISHED, LATER
    made.save()
    return made
