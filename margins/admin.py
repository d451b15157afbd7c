"""Our other costs in the admin: added and ended there, never changed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from margins.models import CostLine, FeatureBenefit, FxRate, MarginSetting


@admin.register(CostLine)
class CostLineAdmin(ModelAdmin):
    """A line's figures are history once saved; its end, name and note may change."""

    list_display = ("name", "key", "show_figure", "basis", "show_selection", "starts_on", "ends_on")
    list_filter = ("basis", ("ends_on", admin.EmptyFieldListFilter))
    search_fields = ("key", "name")
    autocomplete_fields = ("customer", "plan", "feature")
    compressed_fields = True
    fieldsets = (
        (None, {"fields": ("key", "name", "basis", "amount", "percent", "seats", "meter", "shared_by")}),
        ("Only for", {"fields": ("customer", "plan", "feature")}),
        ("When", {"fields": ("starts_on", "ends_on", "note")}),
    )
    _changeable = frozenset({"name", "ends_on", "note"})

    def get_readonly_fields(self, request: HttpRequest, obj: CostLine | None = None) -> list[str]:
        if obj is None:
            return []
        names: list[Any] = [name for _, group in self.fieldsets for name in group["fields"]]
        return [name for name in names if name not in self._changeable]

    def has_delete_permission(self, request: HttpRequest, obj: CostLine | None = None) -> bool:
        return False

    @display(description="Figure")
    def show_figure(self, line: CostLine) -> str:
        parts = []
        if line.amount is not None:
            parts.append(f"{line.amount.amount.normalize():f} {line.amount.currency}")
        if line.percent is not None:
            parts.append(f"{line.percent.normalize():f} %")
        return " + ".join(parts)

    @display(description="Only for")
    def show_selection(self, line: CostLine) -> str:
        return ", ".join(str(one) for one in (line.customer, line.plan, line.feature) if one) or "everyone"


@admin.register(FeatureBenefit)
class FeatureBenefitAdmin(ModelAdmin):
    """What features are said to earn, newest first; what they cost beside it is on the people page."""

    list_display = ("feature", "kind", "amount", "investment", "assumption", "starts_on")
    list_filter = ("kind",)
    search_fields = ("feature__key", "assumption")
    autocomplete_fields = ("feature",)
    compressed_fields = True


@admin.register(FxRate)
class FxRateAdmin(ModelAdmin):
    """What currencies are worth in the reporting one, a rate for each day a bank states one."""

    list_display = ("day", "currency", "into", "rate", "source")
    list_filter = ("currency", "into")
    date_hierarchy = "day"
    compressed_fields = True


@admin.register(MarginSetting)
class MarginSettingAdmin(ModelAdmin):
    """One row: what margins are reported in, and which cost of inference counts."""

    list_display = ("__str__", "inference_cost")
    compressed_fields = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return not MarginSetting.objects.exists() and super().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: MarginSetting | None = None) -> bool:
        return False
