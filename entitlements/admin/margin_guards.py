"""Floors under the projected margin in the admin: set and ended there, never changed."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from entitlements.models import MarginGuard


@admin.register(MarginGuard)
class MarginGuardAdmin(ModelAdmin):
    """A guard in force is history in the making: only its end and its note may change."""

    list_display = ("show_target", "action", "show_floor", "freshness_seconds", "trusts_stale", "starts_at", "ends_at")
    list_filter = ("action", ("ends_at", admin.EmptyFieldListFilter))
    list_select_related = ("plan", "customer")
    search_fields = ("=plan__key", "=customer__key")
    autocomplete_fields = ("plan", "customer")
    compressed_fields = True
    fieldsets = (
        (None, {"fields": (("plan", "customer"), ("floor", "action"))}),
        ("Figures", {"fields": (("freshness_seconds", "trusts_stale"),)}),
        ("When", {"fields": (("starts_at", "ends_at"), "note")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: MarginGuard | None = None) -> tuple[str, ...]:
        fixed = ("plan", "customer", "floor", "action", "freshness_seconds", "trusts_stale", "starts_at")
        return () if obj is None else fixed

    def has_delete_permission(self, request: HttpRequest, obj: MarginGuard | None = None) -> bool:
        return False

    @display(description="Of")
    def show_target(self, guard: MarginGuard) -> str:
        return f"customer {guard.customer}" if guard.plan is None else f"plan {guard.plan}"

    @display(description="Floor")
    def show_floor(self, guard: MarginGuard) -> str:
        return f"{guard.floor * 100:.2f} %"
