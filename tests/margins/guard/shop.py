"""A plan with two tiers and a way down, on sale through the services, and floors under its margin."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from moneyed import Money

from entitlements.models import Customer, MarginGuard
from entitlements.services.subscriptions import subscribe
from margins.guard.figures import refresh_due
from plans.catalogue_file.applying import apply_catalogue
from plans.models import Plan, PlanVersion, RateCard
from tests import accounts
from tests.world import CREDIT, Actor

START = datetime(2026, 11, 1, tzinfo=UTC)
HALF_WAY = datetime(2026, 11, 16, tzinfo=UTC)

CATALOGUE = """
features:
  chat: {name: Chat}
  export: {name: Export, kind: boolean}
tiers:
  economy: {name: Economy, rank: 10}
  premium: {name: Premium, rank: 20}
models:
  gpt-4o-mini: {name: Small, provider: openai, tier: economy}
  gpt-4.1: {name: Medium, provider: openai, tier: premium}
  gpt-4o: {name: Large, provider: openai, tier: premium}
rate_cards:
  standard:
    name: Standard
    versions:
      - number: 1
        from: 2026-01-01
        rates:
          - {tier: economy, per_1M: {input_tokens: 100, output_tokens: 400}}
          - {tier: premium, per_1M: {input_tokens: 1000, output_tokens: 4000}}
plans:
  team:
    name: Team
    price: 100 USD
    rate_card: standard
    allowance: {credits: 10000}
    entitlements: [{feature: chat, up_to: premium}, {feature: export}]
    fallbacks: [gpt-4.1, gpt-4o-mini]
"""


def open_shop() -> PlanVersion:
    """Put it on sale."""
    apply_catalogue(CATALOGUE, publish=True, now=START)
    return PlanVersion.objects.get(plan__key="team")


def also_sold(key: str, price: Money, *, included: int = 0) -> PlanVersion:
    """Another plan by the same rates."""
    terms: dict[str, Any] = {
        "plan": Plan.objects.create(key=key, name=key.title()),
        "number": 1,
        "status": "published",
        "published_at": START,
        "price": price,
        "rate_card": RateCard.objects.get(),
        "included_microcredits": included * CREDIT,
    }
    return PlanVersion.objects.create(**terms)


def joins(key: str = "acme", *, at: datetime = START) -> Actor:
    """A new customer on the plan, with a period from then on."""
    actor = Actor(key, at)
    subscribe(key, PlanVersion.objects.get(plan__key="team"), at)
    return actor


def guard(action: str, floor: str, **parts: Any) -> MarginGuard:
    """A floor, under the plan unless told otherwise."""
    usual: dict[str, Any] = {"starts_at": START, "floor": Decimal(floor), "action": action}
    if "customer" in parts:
        usual["customer"] = Customer.objects.get(key=parts.pop("customer"))
    elif "plan" not in parts:
        usual["plan"] = Plan.objects.get(key="team")
    return MarginGuard.objects.create(**(usual | parts))


def costs(actor: Actor, dollars: int, key: str, *, at: datetime = HALF_WAY) -> None:
    """A call that cost the supplier's dollars and a hundred credits, and the worker after it."""
    actor.uses(
        accounts.fact(key, at=at, stated_microcredits=100 * CREDIT, reported_cost_nanousd=dollars * 10**9), now=at
    )
    refresh_due(at)
