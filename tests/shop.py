"""A small catalogue written by hand, for tests of the deciding core that need no database."""

from datetime import UTC, datetime
from typing import Any

from plans.catalogue import Catalogue
from plans.terms import (
    EntitlementTerms,
    FeatureTerms,
    ModelTerms,
    PlanTerms,
    RateCardTerms,
    RateTerms,
    TierTerms,
)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CREDIT = 1_000_000

CHAT = FeatureTerms(1, "chat", "Chat", "metered")
EXPORT = FeatureTerms(2, "export", "Export", "boolean")
FREE_SEARCH = FeatureTerms(3, "search", "Search", "metered")

ECONOMY = TierTerms(1, "economy", "Economy", 1)
PREMIUM = TierTerms(2, "premium", "Premium", 2)
SMALL = ModelTerms(1, "gpt-4o-mini", "openai", 1, "economy", 1)
LARGE = ModelTerms(2, "gpt-4o", "openai", 2, "premium", 2)
HUGE = ModelTerms(3, "claude-opus-4-6", "anthropic", 2, "premium", 2)

# Chat: 1 credit per 1k input and 4 per 1k output on the premium tier, a tenth of that on economy.
RATES = (
    RateTerms(1, 1, None, 2, 0, 0, {"input_tokens": 1000 * CREDIT, "output_tokens": 4000 * CREDIT}),
    RateTerms(2, 1, None, 1, 0, 0, {"input_tokens": 100 * CREDIT, "output_tokens": 400 * CREDIT}),
    RateTerms(3, 3, None, None, 0, 0, {}),
    RateTerms(4, 1, None, None, 2 * CREDIT, 0, {}),
)
CARD = RateCardTerms(1, 1, "standard", 1, LONG_AGO, "up", 1, RATES)


def plan(**changes: Any) -> PlanTerms:
    """A published monthly plan with chat up to economy, 100 credits and no overage; `changes` on top."""
    terms: dict[str, Any] = {
        "id": 1,
        "plan_key": "pro",
        "plan_name": "Pro",
        "number": 1,
        "status": "published",
        "price": "29.000",
        "currency": "USD",
        "interval": "month",
        "rate_card_id": 1,
        "included_microcredits": 100 * CREDIT,
        "allowance_renewal": "month",
        "rollover_max_microcredits": 0,
        "allowance_priority": 50,
        "unpriced": "allow",
        "overage_price": None,
        "spend_cap_microcredits": None,
        "entitlements": {
            1: EntitlementTerms(1, 1, "deny", None),
            2: EntitlementTerms(2, None, "deny", None),
            3: EntitlementTerms(3, None, "deny", None),
        },
        "limits": (),
        "fallbacks": (),
    }
    return PlanTerms(**(terms | changes))


def chat_right(*, max_rank: int | None = 1, at_limit: str = "deny") -> dict[int, EntitlementTerms]:
    """Entitlements of a plan whose only feature is chat."""
    return {1: EntitlementTerms(1, max_rank, at_limit, None)}


def catalogue(*plans: PlanTerms) -> Catalogue:
    """The catalogue with these plans on sale."""
    return Catalogue(
        revision=1,
        features=(CHAT, EXPORT, FREE_SEARCH),
        tiers=(ECONOMY, PREMIUM),
        models=(SMALL, LARGE, HUGE),
        plans=plans or (plan(),),
        rate_cards=(CARD,),
    )
