"""Re-ratings in the admin: a record of what was corrected, read only. `manage.py rerate` makes and undoes them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from kernel.units import format_usd
from metering.customers import keys_of
from metering.models import Rerating
from metering.queries.reratings import moved_by


@admin.register(Rerating)
class ReratingAdmin(ModelAdmin):
    """What was corrected, why and by whom, and what it moved."""

    list_display = (
        "__str__", "show_state", "starts_on", "ends_on", "show_scope", "moved_calls", "priced_calls", "show_delta",
        "author", "reason",
    )  # fmt: skip
    list_filter = ("state",)
    search_fields = ("reason", "author")
    fieldsets = (
        (None, {"fields": ("state", "reason", ("author", "created_at", "applied_at"))}),
        ("About", {"fields": (("starts_on", "ends_on"), "show_scope", ("list_prices", "cards"))}),
        ("Moved", {"fields": (
            ("examined_calls", "moved_calls", "priced_calls"), "show_delta", "show_days", "show_customers",
            "show_models",
        )}),
        ("Undone", {"fields": ("undo_reason", ("undone_by", "undone_at"))}),
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["show_scope", "show_delta", "show_days", "show_customers", "show_models"]

    @display(
        description="State",
        ordering="state",
        label={"applying": "warning", "applied": "success", "undoing": "warning", "undone": "info"},
    )
    def show_state(self, rerating: Rerating) -> str:
        return rerating.state

    @display(description="Whose calls")
    def show_scope(self, rerating: Rerating) -> str:
        customer_id = rerating.customer_id
        whose = "everybody" if customer_id is None else keys_of([customer_id]).get(customer_id, f"#{customer_id}")
        unpriced = "unpriced only" if rerating.unpriced_only else ""
        return ", ".join(part for part in (whose, rerating.model, unpriced) if part)

    @display(description="Moved by (USD)", ordering="delta_nanousd")
    def show_delta(self, rerating: Rerating) -> str:
        return format_usd(rerating.delta_nanousd)

    @display(description="Days restated")
    def show_days(self, rerating: Rerating) -> SafeString:
        return _lines(rerating, "day")

    @display(description="Customers")
    def show_customers(self, rerating: Rerating) -> SafeString:
        return _lines(rerating, "customer")

    @display(description="Models")
    def show_models(self, rerating: Rerating) -> SafeString:
        return _lines(rerating, "model")


def _lines(rerating: Rerating, cut: str) -> SafeString:
    lines = moved_by(rerating.pk, cut)
    shown = ((line.name or "(none)", f"{line.calls:,}", format_usd(line.delta_nanousd)) for line in lines)
    return format_html_join("", "<div>{}: {} calls, {} USD</div>", shown)
