from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import action, display

from entitlements.admin.lines import ReadOnlyAdmin
from entitlements.models import Subscription
from entitlements.services.subscriptions import end_subscription
from kernel.clock import utc_now
from kernel.errors import Problem


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Who is on what, since when. Subscribing is an action of the customer."""

    list_display = ("customer", "plan_version", "show_state", "started_at", "ended_at", "anchor")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "plan_version__plan")
    list_select_related = ("customer", "plan_version__plan")
    search_fields = ("=customer__key", "=plan_version__plan__key")
    search_help_text = "A customer's or a plan's key."
    fields = ("customer", "plan_version", "anchor", "started_at", "ended_at")
    ordering = ("-started_at", "-pk")
    actions = ("end",)

    @display(description="State", label={"open": "success", "ended": "default"})
    def show_state(self, subscription: Subscription) -> str:
        return "ended" if subscription.ended_at else "open"

    def has_end_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("entitlements.change_subscription"))

    @action(description="End selected subscriptions now", permissions=["end"])
    def end(self, request: HttpRequest, queryset: "QuerySet[Subscription]") -> None:
        ended = 0
        for subscription in queryset.filter(ended_at=None):
            try:
                end_subscription(subscription.customer.key, utc_now())
            except Problem as problem:
                messages.error(request, f"{subscription}: {problem.detail}")
            else:
                ended += 1
        messages.success(request, f"{ended} subscriptions ended; their allowances were taken back.")
