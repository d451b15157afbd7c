from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import action, display

from billing.convergence.locks import one_at_a_time
from billing.models import StripePrice, StripeSubscription, SubscriptionOrder
from billing.stripe.errors import StripeError
from billing.subscriptions.changing import cancel, go_on
from billing.subscriptions.mirror import converge_subscription
from entitlements.admin.lines import ReadOnlyAdmin
from entitlements.admin.links import as_json, at
from kernel.clock import utc_now
from plans.admin.outcome import attempt, dialog, existing, go
from plans.money import exact_money

_STATUS = {
    "active": "success", "trialing": "info", "past_due": "danger", "unpaid": "danger", "incomplete": "warning",
    "paused": "warning", "canceled": "default", "incomplete_expired": "default",
}  # fmt: skip


@admin.register(StripeSubscription)
class StripeSubscriptionAdmin(ReadOnlyAdmin):
    """Subscriptions that Stripe collects for, as it last showed them."""

    list_display = ("id", "customer", "plan_version", "show_status", "show_next", "period_end", "overdue_since")
    list_filter = ("status", "surplus", ("overdue_since", admin.EmptyFieldListFilter), "plan_version__plan")
    list_select_related = ("customer", "plan_version__plan", "pending_version__plan")
    search_fields = ("=id", "=customer__key", "=stripe_customer")
    search_help_text = "A customer's key, or an id of Stripe's."
    fieldsets = (
        (None, {"fields": ("id", "show_customer", "plan_version", "show_status", "show_next", "surplus")}),
        (
            "When",
            {"fields": (("show_period", "show_anchor"), ("show_trial_end", "show_cancel_at"),
                        ("show_overdue_since", "show_ended_at"))},
        ),
        ("As Stripe showed it", {"fields": ("stripe_customer", "show_fetched_at", "show_raw")}),
    )  # fmt: skip
    ordering = ("-period_start", "id")
    actions_detail = ("look_again", "end_with_period", "keep_going", "end_now")

    @display(description="Status", label=_STATUS, ordering="status")
    def show_status(self, row: StripeSubscription) -> str:
        return row.status

    @display(description="Customer")
    def show_customer(self, row: StripeSubscription) -> str:
        url = reverse("admin:entitlements_customer_change", args=[row.customer_id])
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, row.customer)

    @display(description="To come")
    def show_next(self, row: StripeSubscription) -> str:
        if row.ended_at is None and row.cancel_at is not None:
            return f"ends {at(row.cancel_at)}"
        return f"{row.pending_version} from {at(row.pending_at)}" if row.pending_version else "–"

    @display(description="Period")
    def show_period(self, row: StripeSubscription) -> str:
        return f"{at(row.period_start)} to {at(row.period_end)}"

    @display(description="Anchor")
    def show_anchor(self, row: StripeSubscription) -> str:
        return at(row.anchor)

    @display(description="Trial ends")
    def show_trial_end(self, row: StripeSubscription) -> str:
        return at(row.trial_end)

    @display(description="Cancelled to")
    def show_cancel_at(self, row: StripeSubscription) -> str:
        return at(row.cancel_at)

    @display(description="Overdue since")
    def show_overdue_since(self, row: StripeSubscription) -> str:
        return at(row.overdue_since)

    @display(description="Ended")
    def show_ended_at(self, row: StripeSubscription) -> str:
        return at(row.ended_at)

    @display(description="Fetched")
    def show_fetched_at(self, row: StripeSubscription) -> str:
        return at(row.fetched_at)

    @display(description="Object")
    def show_raw(self, row: StripeSubscription) -> str:
        return as_json(row.raw)

    def has_bill_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return bool(request.user.has_perm("billing.change_stripesubscription"))

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only what the subscription's state allows."""
        row = StripeSubscription.objects.filter(pk=object_id).first()
        offered = {"look-again"}
        if row is not None and row.ended_at is None and not row.surplus:
            offered |= {"end-now", "keep-going" if row.cancel_at else "end-with-period"}
        return [one for one in super().get_actions_detail(request, object_id) if one.path in offered]

    @action(description="Fetch from Stripe", url_path="look-again", icon="sync", permissions=["bill"])
    def look_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        try:
            with one_at_a_time(object_id):
                converge_subscription(object_id, utc_now())
        except StripeError as error:
            messages.error(request, f"Stripe says: {error}")
        else:
            messages.success(request, "This is what Stripe shows now.")
        return self._page(request, object_id)

    @action(description="End with the period", url_path="end-with-period", icon="event_busy", permissions=["bill"],
            dialog=dialog("End this subscription with its period?", "The customer keeps the plan until then.", "End")
    )  # fmt: skip
    def end_with_period(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        row = existing(self, request, object_id)
        attempt(request, lambda: cancel(row.customer.key, "period_end", utc_now()), "{} ends with its period.")
        return self._page(request, object_id)

    @action(description="Let it go on", url_path="keep-going", icon="event_repeat", permissions=["bill"], dialog=dialog(
        "Let this subscription go on?", "It will renew, and be charged for.", "Let it go on"
    ))  # fmt: skip
    def keep_going(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        row = existing(self, request, object_id)
        attempt(request, lambda: go_on(row.customer.key, utc_now()), "{} goes on.")
        return self._page(request, object_id)

    @action(description="End now", url_path="end-now", icon="cancel", permissions=["bill"], dialog=dialog(
        "End this subscription now?",
        "What was paid for the rest of the period is not given back. The allowance is taken back; bought credits stay.",
        "End now",
    ))  # fmt: skip
    def end_now(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        row = existing(self, request, object_id)
        attempt(request, lambda: cancel(row.customer.key, "now", utc_now()), "{} has ended.")
        return self._page(request, object_id)

    @staticmethod
    def _page(request: HttpRequest, object_id: str) -> HttpResponse:
        return go(request, reverse("admin:billing_stripesubscription_change", args=[object_id]))


@admin.register(SubscriptionOrder)
class SubscriptionOrderAdmin(ReadOnlyAdmin):
    """Subscriptions on their way: pages that are open, and what came of the others."""

    list_display = ("customer", "plan_version", "origin", "show_state", "trial_days", "created_at", "closed_at")
    list_filter = ("state", "origin")
    list_select_related = ("customer", "plan_version__plan")
    search_fields = ("=customer__key", "=key", "=checkout_session_id", "=stripe_subscription_id")
    search_help_text = "A customer's key, the order's, or an id of Stripe's."
    fields = (
        "customer", "key", "plan_version", "origin", "show_state", "trial_days", "checkout_session_id",
        "stripe_subscription_id", "failure_code", "failure", "created_at", "closed_at",
    )  # fmt: skip

    @display(description="State", label={"open": "info", "done": "success", "failed": "danger", "expired": "default"})
    def show_state(self, order: SubscriptionOrder) -> str:
        return order.state


@admin.register(StripePrice)
class StripePriceAdmin(ReadOnlyAdmin):
    """What plan versions are called at Stripe. ``manage.py stripe_prices`` makes them."""

    list_display = ("lookup_key", "plan_version", "show_amount", "interval", "price_id")
    list_select_related = ("plan_version__plan",)
    search_fields = ("=lookup_key", "=price_id")
    fields = ("plan_version", "lookup_key", "product_id", "price_id", "show_amount", "interval", "created_at")

    @display(description="Price")
    def show_amount(self, price: StripePrice) -> str:
        return exact_money(price.amount)
