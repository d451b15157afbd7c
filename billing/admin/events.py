from django.contrib import admin
from unfold.decorators import display

from billing.models import StripeCustomer, StripeEvent
from entitlements.admin.lines import ReadOnlyAdmin
from entitlements.admin.links import as_json, at


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    """What Stripe told us, or the sweep found, and whether it was worked off."""

    list_display = ("type", "object_id", "show_state", "attempts", "swept", "api_created", "received_at")
    list_filter = (("processed_at", admin.EmptyFieldListFilter), "swept", "object_type")
    search_fields = ("=id", "=object_id", "=type")
    search_help_text = "An event's or object's id at Stripe, or a type of event."
    fields = (
        "id", "type", "object_type", "object_id", "show_state", "attempts", "error", "swept", "show_happened",
        "show_received", "show_next_try", "show_processed",
    )  # fmt: skip
    show_full_result_count = False
    ordering = ("-received_at", "-id")

    @display(description="State", label={"done": "success", "waiting": "info", "failed": "danger"})
    def show_state(self, event: StripeEvent) -> str:
        if event.processed_at is not None:
            return "done"
        return "failed" if event.error else "waiting"

    @display(description="Happened")
    def show_happened(self, event: StripeEvent) -> str:
        return at(event.api_created)

    @display(description="Came")
    def show_received(self, event: StripeEvent) -> str:
        return at(event.received_at)

    @display(description="Next try")
    def show_next_try(self, event: StripeEvent) -> str:
        return at(event.next_try_at)

    @display(description="Worked off")
    def show_processed(self, event: StripeEvent) -> str:
        return at(event.processed_at)


@admin.register(StripeCustomer)
class StripeCustomerAdmin(ReadOnlyAdmin):
    """Who customers are at Stripe, and by which card they are charged while away."""

    list_display = ("customer", "stripe_id", "default_payment_method", "deleted_at", "fetched_at")
    list_filter = (("deleted_at", admin.EmptyFieldListFilter),)
    list_select_related = ("customer",)
    search_fields = ("=customer__key", "=stripe_id")
    search_help_text = "A customer's key, or their id at Stripe."
    fields = ("customer", "stripe_id", "default_payment_method", "show_deleted", "show_fetched", "show_raw")

    @display(description="Deleted at Stripe")
    def show_deleted(self, row: StripeCustomer) -> str:
        return at(row.deleted_at)

    @display(description="Fetched")
    def show_fetched(self, row: StripeCustomer) -> str:
        return at(row.fetched_at)

    @display(description="Object")
    def show_raw(self, row: StripeCustomer) -> str:
        return as_json(row.raw)
