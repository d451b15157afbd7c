"""Staff look at a customer's pages as the customer does, and see who was let in."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from entitlements.admin.customers import CustomerAdmin
from entitlements.models import Customer
from kernel.clock import utc_now
from plans.admin.outcome import dialog, existing, go
from portal.links import link_url
from portal.models import PortalSession
from portal.services.sessions import create_link

admin.site.unregister(Customer)


@admin.register(Customer)
class CustomerWithPagesAdmin(CustomerAdmin):
    """The customer, and a way into their pages. Here, because entitlements knows nothing of the floors above it."""

    actions_detail = (*CustomerAdmin.actions_detail, "view_as_customer")

    @action(description="View as customer", url_path="view-as", icon="visibility", permissions=["view"], dialog=dialog(
        "Look at this customer's pages",
        "You see what they see, for two hours; nothing can be changed or bought. Your visit is recorded.",
        "Look",
    ))  # fmt: skip
    def view_as_customer(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        customer = existing(self, request, object_id)
        link = create_link(customer.key, created_by=f"staff {request.user}", now=utc_now(), read_only=True)
        self.log_change(request, customer, "Looked at the customer's own pages.")
        return go(request, link_url(link.token, request))


@admin.register(PortalSession)
class PortalSessionAdmin(ModelAdmin):
    """A record: made by links, changed by nobody."""

    list_display = ("customer", "created_at", "created_by", "show_state", "opened_at", "expires_at")
    list_filter = ("read_only", ("opened_at", admin.EmptyFieldListFilter))
    search_fields = ("=customer__key", "created_by")
    list_select_related = ("customer",)
    fields = (
        *("customer", "created_at", "created_by", "read_only", "return_url"),
        *("show_state", "link_expires_at", "opened_at", "expires_at", "ended_at"),
    )
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PortalSession | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PortalSession | None = None) -> bool:
        return False

    @display(description="State")
    def show_state(self, session: PortalSession) -> str:
        now = utc_now()
        if session.ended_at is not None:
            return "signed out"
        if session.expires_at is not None:
            return "open" if session.expires_at > now else "ended"
        return "not opened yet" if session.link_expires_at > now else "never opened"
