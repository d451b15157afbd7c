from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from plans.admin.fields import KeyStays
from plans.models import Feature, ModelTier


@admin.register(Feature)
class FeatureAdmin(KeyStays, ModelAdmin):
    list_display = ("key", "name", "show_kind", "description")
    list_filter = ("kind",)
    search_fields = ("key", "name")

    @display(description="Kind", ordering="kind", label={"metered": "info", "static": "warning", "boolean": "success"})
    def show_kind(self, feature: Feature) -> str:
        return feature.kind


@admin.register(ModelTier)
class ModelTierAdmin(KeyStays, ModelAdmin):
    list_display = ("rank", "key", "name", "show_models")
    list_display_links = ("key",)
    search_fields = ("key", "name")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ModelTier]":
        tiers: QuerySet[ModelTier] = super().get_queryset(request)
        return tiers.prefetch_related("models")

    @display(description="Models")
    def show_models(self, tier: ModelTier) -> str:
        return ", ".join(model.key for model in tier.models.all()) or "–"
