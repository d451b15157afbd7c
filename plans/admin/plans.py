from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from plans.admin.fields import KeyStays, shows_credits, shows_money
from plans.admin.outcome import attempt, dialog, existing, go
from plans.models import Plan, PlanVersion
from plans.money import exact_money
from plans.services.publishing import new_plan_draft

STATUS_COLOURS = {"draft": "warning", "published": "success", "retired": "info"}


class VersionInline(TabularInline):
    """The plan's versions, newest first; each has its own page."""

    model = PlanVersion
    extra = 0
    max_num = 0
    can_delete = False
    hide_title = True
    ordering = ("-number",)
    fields = readonly_fields = ("show_number", "show_status", "show_price", "interval", "rate_card", "show_included")

    show_price = shows_money("price", "Price")
    show_included = shows_credits("included_microcredits")

    def has_change_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        return False

    @display(description="Version")
    def show_number(self, version: PlanVersion) -> str:
        page = reverse("admin:plans_planversion_change", args=[version.pk])
        return format_html('<a class="font-semibold text-primary-600" href="{}">v{}</a>', page, version.number)

    @display(description="Status", label=STATUS_COLOURS)
    def show_status(self, version: PlanVersion) -> str:
        return version.status


@admin.register(Plan)
class PlanAdmin(KeyStays, ModelAdmin):
    """A plan's name, and the way to its versions, where everything that is sold is."""

    list_display = ("key", "name", "show_on_sale", "show_price", "show_draft")
    search_fields = ("key", "name")
    inlines = (VersionInline,)
    actions_detail = ("new_draft",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Plan]":
        plans: QuerySet[Plan] = super().get_queryset(request)
        return plans.prefetch_related(Prefetch("versions", PlanVersion.objects.order_by("-number")))

    def has_delete_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        """Only a plan that was never sold can go."""
        sold = obj is not None and any(version.status != "draft" for version in obj.versions.all())
        return not sold and bool(super().has_delete_permission(request, obj))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No bulk deletion: it would not ask each plan."""
        return {name: made for name, made in super().get_actions(request).items() if name != "delete_selected"}

    @display(description="On sale")
    def show_on_sale(self, plan: Plan) -> str:
        version = _with_status(plan, "published")
        return f"v{version.number}" if version else "–"

    @display(description="Price")
    def show_price(self, plan: Plan) -> str:
        version = _with_status(plan, "published") or _with_status(plan, "draft")
        return f"{exact_money(version.price)} a {version.interval}" if version else "–"

    @display(description="Draft")
    def show_draft(self, plan: Plan) -> str:
        version = _with_status(plan, "draft")
        return f"v{version.number}" if version else "–"

    @action(description="New draft", icon="edit_note", permissions=["draft"], dialog=dialog(
        "Start a new version?",
        "A draft is made from the newest version. Nothing changes for anyone until it is published.",
        "Make a draft",
    ))  # fmt: skip
    def new_draft(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        plan = existing(self, request, object_id)
        if not plan.versions.all():
            return go(request, f"{reverse('admin:plans_planversion_add')}?plan={plan.pk}")
        draft = attempt(request, lambda: new_plan_draft(plan.pk), "{} is a draft now.")
        if draft is None:
            return go(request, reverse("admin:plans_plan_change", args=[object_id]))
        return go(request, reverse("admin:plans_planversion_change", args=[draft.pk]))

    def has_draft_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("plans.add_planversion")


def _with_status(plan: Plan, status: str) -> PlanVersion | None:
    return next((version for version in plan.versions.all() if version.status == status), None)
