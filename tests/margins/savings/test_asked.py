"""Savings of calls that went through the real services at list prices, over the real API."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from django.test import Client

from kernel.usage import Usage
from margins.queries.margins import Scope
from margins.savings.events import savings_of, spends_of
from margins.savings.spend import Prices, merged
from metering.costing import default_catalogue
from metering.models import CostCard, CostRate
from metering.rerating.applying import apply, undo
from metering.rerating.scope import Scope as RatedScope
from metering.services.cost_cards import publish_cost_card
from tests import accounts
from tests.margins.books import at
from tests.world import Actor, World

pytestmark = pytest.mark.django_db

DAYS = {"from": "2026-11-01", "to": "2026-12-01"}
NOVEMBER = Scope(date(2026, 11, 1), date(2026, 12, 1))


@pytest.fixture
def acme() -> Actor:
    """gpt-4o-mini: $0.15 in, $0.075 cached, $0.60 out; batches half. Twenty batches and five cached calls."""
    made = Actor("acme", datetime.fromisoformat("2026-11-01T00:00:00Z"), World().pro)
    cached = Usage(input_tokens=1000, cache_read_tokens=800, output_tokens=100)
    batches = [accounts.fact(f"b{n}", at=at(3 + n % 2), processing="batch", action="sum") for n in range(20)]
    calls = [accounts.fact(f"c{n}", at=at(5), action="sum", usage=cached) for n in range(5)]
    unknown = accounts.fact("u", at=at(6), model="brand-new", provider="nobody", action="sum")
    made.uses(*batches, *calls, unknown, now=at(7))
    return made


def test_every_saving_names_its_events_and_what_it_assumes(acme: Actor, api: Callable[..., Any], staff: Client) -> None:
    """A call costs 210,000 nano-USD fresh and 105,000 in a batch; with 800 tokens cached 150,000.

    A batch of cached calls would cost 105,000: what is read from the cache is no cheaper there.
    """
    answer = api("/insights/savings", **DAYS).json()
    saved = {one["means"]: one for one in answer["saved"]}
    assert {means: (one["calls"], one["saved_usd"]) for means, one in saved.items()} == {
        "batch": (20, "0.0021"),
        "caching": (5, "0.0003"),
    }
    assert (answer["calls"], answer["unpriced_calls"]) == (26, 1)
    assert (answer["cost_usd"], answer["saved_usd"]) == ("0.00285", "0.0024")
    (batch,) = [one for one in answer["advice"] if one["means"] == "batch"]
    assert (batch["calls"], batch["cost_usd"], batch["saves_alone_usd"]) == (5, "0.00075", "0.000225")
    assert "% of these calls run in batches already" in batch["assumption"]
    for one in (*answer["saved"], *answer["advice"]):
        listed = staff.get(one["events"])
        assert listed.status_code == 200, one["events"]
        assert listed.context["cl"].result_count >= one["calls"]


def test_a_customer_has_savings_of_its_own(acme: Actor, api: Callable[..., Any]) -> None:
    Actor("other", acme.now)
    assert api("/insights/savings", customer="acme", **DAYS).json()["calls"] == 26
    assert api("/insights/savings", customer="other", **DAYS).json()["calls"] == 0


def test_the_server_to_compare_with_is_the_one_asked_for(acme: Actor, api: Callable[..., Any]) -> None:
    asked = api("/insights/savings", usd_per_month="1", tokens_per_second="1", busy_percent="100", **DAYS).json()
    assert asked["build_or_buy"]["server"] == {"usd_per_month": 1, "tokens_per_second": 1, "busy_percent": 100}
    (only,) = asked["build_or_buy"]["models"]
    assert (only["model"], only["tokens_per_month"], only["verdict"]) == ("gpt-4o-mini", 27_500, "never")


def test_days_are_added_up_without_changing_a_figure(acme: Actor) -> None:
    spends = spends_of(NOVEMBER)
    fewer = merged(spends, Prices(default_catalogue()))
    assert len(fewer) < len(spends)
    assert sum(one.calls for one in fewer) == sum(one.calls for one in spends) == 26
    assert sum(one.cost_nanousd for one in fewer) == sum(one.cost_nanousd for one in spends)
    assert sum(one.usage.input_tokens for one in fewer) == 26_000
    assert savings_of(NOVEMBER).saved_nanousd == 2_400_000


def test_a_re_rating_counts_and_its_undoing_too(acme: Actor) -> None:
    """The call nobody had a price for gets one: a dollar a million in, nothing out, so 1,000 tokens for $0.001."""
    card = CostCard.objects.create(model="brand-new", effective_from=at(1))
    CostRate.objects.create(card=card, kind="input_tokens", rate_nanousd_per_million=10**9)
    CostRate.objects.create(card=card, kind="output_tokens", rate_nanousd_per_million=0)
    publish_cost_card(card.pk, at(8))
    days = RatedScope(starts_on=NOVEMBER.start, ends_on=NOVEMBER.end, unpriced_only=True)
    rerating = apply(days, reason="Priced", author="ada", now=at(8))
    found = savings_of(NOVEMBER)
    assert (found.unpriced_calls, found.cost_nanousd) == (0, 2_850_000 + 1_000_000)
    undo(rerating.pk, reason="Wrong card", author="ada", now=at(9))
    found = savings_of(NOVEMBER)
    assert (found.unpriced_calls, found.cost_nanousd) == (1, 2_850_000)
