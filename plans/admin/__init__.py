"""The catalogue in the browser. Published versions are shown, never changed; state changes go through services."""

from django.contrib import admin

from plans.admin import ai_models, features, packs, plan_versions, plans, rate_card_versions, rate_cards

__all__ = ["ai_models", "features", "packs", "plan_versions", "plans", "rate_card_versions", "rate_cards"]

# What our own columns show where there is nothing, in every column of the house.
admin.site.empty_value_display = "–"
