from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from entitlements.admin.account import account_context
from entitlements.admin.customer_forms import CustomerForm, GrantForm, SubscribeForm
from entitlements.models import Customer
from entitlements.queries.customers import OPEN_SUBSCRIPTION
from entitlements.services.customers import CustomerDetails, upsert_customer
from entitlements.services.grants import GrantRequest, add_grant
from entitlements.services.subscriptions import end_subscription, subscribe
from kernel.clock import utc_now
from kernel.units import format_credits
from plans.admin.outcome import attempt, dialog, go


@admin.register(Customer)
class CustomerAdmin(ModelAdmin):
    """A customer with the account as it stands; what moves credits is an action with a form."""

    form = CustomerForm
    list_display = ("key", "name", "show_plan", "currency", "created_at")
    list_filter = ("currency", "subscriptions__plan_version__plan")
    search_fields = ("=key", "name", "email")
    ordering = ("key",)
    fields = ("key", "name", "email", ("currency", "time_zone"), "tags")
    change_form_before_template = "entitlements/balance.html"
    change_form_after_template = "entitlements/movements.html"
    actions_detail: tuple[str, ...] = ("subscribe", "grant_credits", "end_subscription")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Customer]":
        customers: QuerySet[Customer] = super().get_queryset(request).prefetch_related(OPEN_SUBSCRIPTION).distinct()
        return customers

    def get_readonly_fields(self, request: HttpRequest, obj: Customer | None = None) -> tuple[str, ...]:
        return ("key",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Customer, form: CustomerForm, change: bool) -> None:
        details: CustomerDetails = {name: form.cleaned_data[name] for name in CustomerDetails.__annotations__}  # type: ignore[assignment]
        stored, _ = upsert_customer(obj.key, details, utc_now())
        obj.__dict__.update(stored.__dict__)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        customer = self.get_object(request, object_id)
        account = account_context(customer, utc_now()) if customer else {}
        response: HttpResponse = super().change_view(request, object_id, form_url, (extra_context or {}) | account)
        return response

    @display(description="Plan")
    def show_plan(self, customer: Customer) -> str:
        subscriptions: list[Any] = getattr(customer, "open_subscriptions")  # noqa: B009 - prefetched
        return str(subscriptions[0].plan_version) if subscriptions else "–"

    @action(description="Grant credits", url_path="grant", icon="redeem", permissions=["change"], dialog=dialog(
        "Grant credits",
        "They are there at once. Debt and this period's overage are paid first.",
        "Grant",
        form=GrantForm,
    ))  # fmt: skip
    def grant_credits(self, request: HttpRequest, form: GrantForm, object_id: str) -> HttpResponse:
        given = form.cleaned_data
        grant = GrantRequest(
            key=f"admin:{uuid4()}",
            microcredits=given["credits"],
            source=given["source"],
            expires_at=given["expires_at"],
            reason=given["reason"],
            actor=str(request.user),
        )
        done = f"{format_credits(given['credits'])} credits granted."
        return self._move(request, object_id, lambda key: add_grant(key, grant, utc_now()), done)

    @action(description="Subscribe", url_path="subscribe", icon="autorenew", permissions=["change"], dialog=dialog(
        "Put the customer on a plan, from now",
        "The subscription they have ends, and its allowance is taken back. Bought credits stay.",
        "Subscribe",
        form=SubscribeForm,
    ))  # fmt: skip
    def subscribe(self, request: HttpRequest, form: SubscribeForm, object_id: str) -> HttpResponse:
        version = form.cleaned_data["plan_version"]
        done = f"Subscribed to {version}."
        return self._move(request, object_id, lambda key: subscribe(key, version, utc_now()), done)

    @action(description="End subscription", url_path="end", icon="cancel", permissions=["change"], dialog=dialog(
        "End the subscription now",
        "Its allowance is taken back and its overage falls due. Bought credits stay.",
        "End",
    ))  # fmt: skip
    def end_subscription(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        done = "The subscription has ended."
        return self._move(request, object_id, lambda key: end_subscription(key, utc_now()), done)

    def _move(self, request: HttpRequest, object_id: str, service: Callable[[str], Any], done: str) -> HttpResponse:
        """Call a service with the customer's key, and go back to the customer."""
        customer = self.get_object(request, object_id)
        if customer is None:
            raise Http404
        attempt(request, lambda: service(customer.key), done)
        return go(request, reverse("admin:entitlements_customer_change", args=[object_id]))
