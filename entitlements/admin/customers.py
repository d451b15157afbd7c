from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from entitlements.admin.account import account_context
from entitlements.admin.customer_forms import CustomerForm, GrantForm, SubscribeForm
from entitlements.admin.dialogs import carry_out
from entitlements.models import Customer
from entitlements.queries.customers import OPEN_SUBSCRIPTION
from entitlements.services.customers import CustomerDetails, upsert_customer
from entitlements.services.grants import GrantRequest, add_grant
from entitlements.services.subscriptions import end_subscription, subscribe
from kernel.clock import utc_now
from kernel.units import format_credits


@admin.register(Customer)
class CustomerAdmin(ModelAdmin):
    """A customer with the account as it stands; what moves credits is an action with a form."""

    form = CustomerForm
    list_display = ("key", "name", "show_plan", "currency", "created_at")
    list_filter = ("currency", "subscriptions__plan_version__plan")
    search_fields = ("=key", "name", "email")
    ordering = ("key",)
    fields = ("key", "name", "email", ("currency", "time_zone"), "tags")
    change_form_after_template = "entitlements/account.html"
    actions_detail = ("subscribe", "grant_credits", "end_subscription")

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
        return str(subscriptions[0].plan_version) if subscriptions else "-"

    @action(
        description="Grant credits",
        url_path="grant",
        icon="redeem",
        permissions=["change"],
        dialog={
            "title": "Grant credits",
            "description": "They are there at once. Debt and this period's overage are paid first.",
            "form_class": GrantForm,
            "form_submit_text": "Grant",
        },
    )
    def grant_credits(self, request: HttpRequest, form: GrantForm, object_id: str) -> HttpResponse:
        given = form.cleaned_data
        request_ = GrantRequest(
            key=f"admin:{uuid4()}",
            microcredits=given["credits"],
            source=given["source"],
            expires_at=given["expires_at"],
            reason=given["reason"],
            actor=str(request.user),
        )
        key = self._key(object_id)
        done = f"{format_credits(given['credits'])} credits granted."
        return carry_out(request, lambda: add_grant(key, request_, utc_now()), done=done)

    @action(
        description="Subscribe",
        url_path="subscribe",
        icon="autorenew",
        permissions=["change"],
        dialog={
            "title": "Put the customer on a plan, from now",
            "description": "The subscription they have ends, and its allowance is taken back. Bought credits stay.",
            "form_class": SubscribeForm,
            "form_submit_text": "Subscribe",
        },
    )
    def subscribe(self, request: HttpRequest, form: SubscribeForm, object_id: str) -> HttpResponse:
        version, key = form.cleaned_data["plan_version"], self._key(object_id)
        return carry_out(request, lambda: subscribe(key, version, utc_now()), done=f"Subscribed to {version}.")

    @action(
        description="End subscription",
        url_path="end-subscription",
        icon="cancel",
        permissions=["change"],
        dialog={
            "title": "End the subscription now",
            "description": "Its allowance is taken back and its overage falls due. Bought credits stay.",
            "form_class": None,
            "form_submit_text": "End",
        },
    )
    def end_subscription(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        key = self._key(object_id)
        return carry_out(request, lambda: end_subscription(key, utc_now()), done="The subscription has ended.")

    def _key(self, object_id: str) -> str:
        return str(Customer.objects.values_list("key", flat=True).get(pk=object_id))
