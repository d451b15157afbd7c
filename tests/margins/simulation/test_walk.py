"""The quick way through a customer's calls comes out as asking the gate for every one of them does."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from kernel.ids import key_digest
from margins.simulation import walk
from margins.simulation.calls import microseconds
from margins.simulation.outcome import Outcome
from margins.simulation.rules import Candidates, Kind, Rules
from margins.simulation.scenario import ModelMove, Scenario
from margins.simulation.start import Lot, Start, Subscribed, Taken
from plans.terms import EntitlementTerms, LimitTerms
from tests import shop
from tests.shop import CREDIT

SINCE, UNTIL = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


def limit(key: str, **parts: Any) -> LimitTerms:
    usual: dict[str, Any] = {
        "id": 1, "key": key, "scope": "customer", "feature_id": None, "tier_id": None, "tier_rank": None,
        "unit": "calls", "window": "day", "kind": "hard", "value": 5, "warn_at_percent": (),
    }  # fmt: skip
    return LimitTerms(**(usual | parts))


def line(
    at: datetime, *, model: str = "gpt-4o-mini", user: str = "", tokens: int = 1_000, charged: int = 10**5
) -> bytes:
    kind = "\x1f".join(("1", "1", model, model, "openai", "", "", "0", "0", "0", "card:1"))
    columns = ("7", kind, microseconds(at), charged, 150 * tokens, user, "", tokens, 0, 0, 0, 0, 0, "\\N")
    return ("\t".join(map(str, columns)) + "\n").encode()


def lot(name: str, credits: int, **parts: Any) -> Lot:
    usual: dict[str, Any] = {
        "id": key_digest(name), "source": "top_up", "priority": 100, "amount": credits * CREDIT,
        "remaining": credits * CREDIT, "burned": 0, "effective_at": SINCE - timedelta(days=3), "expires_at": None,
        "created_at": SINCE, "subscription_id": None, "paid_nano": credits * 10**9, "currency": "USD",
    }  # fmt: skip
    return Lot(**(usual | parts))


def history(dice: random.Random) -> tuple[Start, list[bytes]]:
    """A customer with top-ups that come, expire and are taken back, and a few hundred calls."""
    anchor = SINCE - timedelta(days=dice.randrange(28), hours=dice.randrange(24))
    lots = [
        lot(
            f"lot {number}", dice.randint(1, 4),
            effective_at=SINCE + timedelta(days=dice.randint(-5, 25)),
            expires_at=SINCE + timedelta(days=dice.randint(26, 45)) if dice.random() < 0.6 else None,
        )
        for number in range(dice.randint(0, 4))
    ]  # fmt: skip
    taken = [
        Taken(SINCE + timedelta(days=dice.randint(1, 27)), each.id, 1, 4, -dice.randint(1, each.amount))
        for each in lots
        if dice.random() < 0.4
    ]
    start = Start(
        customer_id=7, key="acme", currency="USD", time_zone="UTC",
        subscriptions=[Subscribed(1, 1, anchor, anchor, None)], lots=lots, taken=taken,
    )  # fmt: skip
    times = sorted(SINCE + timedelta(minutes=dice.randrange(30 * 24 * 60)) for _ in range(dice.randint(20, 300)))
    calls = [
        line(
            at, model=dice.choice(("gpt-4o-mini", "gpt-4o-mini", "gpt-4o")), user=dice.choice(("", "ann", "bob")),
            tokens=(tokens := dice.randint(1, 2_000)), charged=100 * tokens,
        )
        for at in times
    ]  # fmt: skip
    return start, calls


def rules(dice: random.Random) -> Rules:
    """A candidate plan of every sort, over the shop's catalogue."""
    chat = EntitlementTerms(1, dice.choice((1, 2, None)), dice.choice(("deny", "downgrade", "overage")), None)
    limits = tuple(
        limit(
            f"limit {number}", scope=dice.choice(("customer", "user")),
            unit=dice.choice(("calls", "tokens", "credits")),
            window=dice.choice(("hour", "day", "period", "lifetime", "draw")), kind=dice.choice(("hard", "soft")),
            value=dice.choice((2, 10, 50, 10**3, 10**6, 10**9)),
        )
        for number in range(dice.choice((0, 0, 1, 2)))
    )  # fmt: skip
    plan = shop.plan(
        id=2, number=2, included_microcredits=dice.choice((0, 5, 20, 500)) * CREDIT, entitlements={1: chat},
        limits=limits, overage_price="0.02", rollover_max_microcredits=dice.choice((0, 3)) * CREDIT,
        spend_cap_microcredits=dice.choice((None, 4 * CREDIT)), fallbacks=dice.choice(((), (shop.SMALL,))),
    )  # fmt: skip
    moves = dice.choice(((), (ModelMove(source="gpt-4o", target="gpt-4o-mini"),)))
    scenario = Scenario(
        starts_on=SINCE.date(), ends_on=UNTIL.date(), plan_version_id=2, moves=moves,
        limits=dice.choice(("enforce", "enforce", "observe")),
    )  # fmt: skip
    return Rules(shop.catalogue(), Candidates(scenario=scenario, plan=plan))


def simulated(by: Rules, start: Start, calls: Sequence[bytes]) -> Outcome:
    return walk.simulate_customer(by, start, calls, kinds={}, since=SINCE, until=UNTIL)


def asked_for_all(by: Rules, start: Start, calls: Sequence[bytes]) -> Outcome:
    kinds: dict[bytes, Kind] = {}
    return walk._Walk(by, start, kinds, since=SINCE, until=UNTIL, asking=True).run(calls)


def comparable(outcome: Outcome) -> dict[str, Any]:
    figures: dict[str, Any] = msgspec.to_builtins(outcome)
    return figures


@pytest.mark.parametrize("seed", range(60))
def test_the_quick_way_is_the_careful_way(seed: int) -> None:
    dice = random.Random(seed)
    by, (start, calls) = rules(dice), history(dice)
    quick = simulated(by, start, calls)
    assert comparable(quick) == comparable(asked_for_all(by, start, calls))
    assert quick.simulated.calls + quick.refused.calls == quick.real.calls == len(calls)


def test_these_histories_meet_everything_there_is() -> None:
    """Else the test above would prove less than it says."""
    met: set[str] = set()
    refused = downgraded = expired = 0
    for seed in range(60):
        dice = random.Random(seed)
        by, (start, calls) = rules(dice), history(dice)
        outcome = simulated(by, start, calls)
        met |= {name.partition(" ")[0] for name in outcome.hits}
        refused += outcome.refused.calls
        downgraded += outcome.downgraded
        expired += outcome.revenue_nano["breakage"]
    assert met >= {"limit", "balance", "overage", "model_tier_not_allowed"}
    assert min(refused, downgraded, expired) > 0
