"""The catalogue in the browser. Published versions are shown, never changed; state changes go through services."""

from plans.admin import ai_models, features, packs, plan_versions, plans, rate_card_versions, rate_cards

__all__ = ["ai_models", "features", "packs", "plan_versions", "plans", "rate_card_versions", "rate_cards"]
