"""Offers written by hand: tests/shop's plan with chat on the small model, which costs so much a token."""

from typing import Any

from margins.plan_audit.terms import Assumptions, Offer
from plans.terms import EntitlementTerms, LimitTerms
from tests import shop
from tests.accounts import Costs
from tests.shop import CREDIT, LONG_AGO

ORDINARY = Assumptions(largest_input_tokens=0, largest_output_tokens=0)
"""Every call is an ordinary one: 3,000 tokens in and 1,000 out, 0.7 credits on the small model."""

SEARCH_AND_CHAT = shop.chat_right() | {3: EntitlementTerms(3, 1, "deny", None)}
"""Search is rated at nothing (tests/shop.py)."""


def offer(*, nano_per_token: int = 100, **parts: Any) -> Offer:
    """29 USD a month for 100 credits of chat, at 100 nano-USD a token; what belongs to the plan goes to it."""
    changes = {"entitlements": shop.chat_right(), "unpriced": "deny"}
    known = set(Offer.__struct_fields__)
    plan = shop.plan(**(changes | {name: parts.pop(name) for name in list(parts) if name not in known}))
    given: dict[str, Any] = {
        "plan": plan,
        "catalogue": shop.catalogue(plan),
        "card": shop.CARD,
        "costs": Costs(gpt_4o_mini=nano_per_token),
        "at": LONG_AGO,
    }
    return Offer(**(given | parts))


def limit(unit: str, value: float, window: str = "period", **parts: Any) -> LimitTerms:
    """A hard limit of the customer's, in credits, US dollars, calls or tokens."""
    scale = {"credits": CREDIT, "cost": 10**9}.get(unit, 1)
    usual: dict[str, Any] = {
        "id": 1, "key": f"{unit}-{window}", "scope": "customer", "feature_id": None, "tier_id": None,
        "tier_rank": None, "unit": unit, "window": window, "kind": "hard", "value": round(value * scale),
        "warn_at_percent": (),
    }  # fmt: skip
    return LimitTerms(**(usual | parts))
