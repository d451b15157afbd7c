from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from kernel.clock import utc_now
from plans.admin.fields import CreditsMixin, shows_credits, shows_money, shows_time
from plans.admin.outcome import attempt, dialog, existing, go
from plans.admin.parts import is_draft
from plans.admin.plan_parts import EntitlementInline, FallbackInline, LimitInline
from plans.admin.publish_form import PublishForm
from plans.models import PlanAcknowledgement, PlanVersion
from plans.services.publishing import new_plan_draft, publish_plan_version, retire_plan_version

SHOWN: Final = {
    "price": "show_price",
    "overage_price": "show_overage_price",
    "included_microcredits": "show_included",
    "rollover_max_microcredits": "show_rollover",
    "spend_cap_microcredits": "show_spend_cap",
    "overage_invoice_at_microcredits": "show_invoice_at",
}
"""How a version that cannot change shows what a draft's form edits."""

HISTORY: Final = ("status", "show_published_at", "show_retired_at", "show_acknowledgement")


class PlanVersionForm(forms.ModelForm):  # type: ignore[type-arg] # Django's own is not generic at run time
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "overage_price" in self.fields and self.instance.overage_price is None:
            # Without an amount the currency would be the first of the list.
            self.initial["overage_price"] = [None, str(self.instance.price.currency)]

    def clean(self) -> dict[str, Any]:
        """One currency: the database says so too, but its columns for it are no fields of the form."""
        cleaned: dict[str, Any] = super().clean() or {}
        price, overage = cleaned.get("price"), cleaned.get("overage_price")
        if price is not None and overage is not None and price.currency != overage.currency:
            self.add_error("overage_price", f"Must be in {price.currency}, like the plan's price.")
        return cleaned


@admin.register(PlanVersion)
class PlanVersionAdmin(CreditsMixin, ModelAdmin):
    """What a plan sells. A draft is a form; a published or retired version is a page to read."""

    form = PlanVersionForm
    inlines = (EntitlementInline, FallbackInline, LimitInline)
    list_display = ("__str__", "status", "show_price", "interval", "show_included", "show_published_at")
    list_filter = ("status", "plan")
    actions_detail = ("publish", "retire", "new_draft")
    warn_unsaved_form = True

    show_price = shows_money("price", "Price")
    show_overage_price = shows_money("overage_price", "Overage price")
    show_included = shows_credits("included_microcredits")
    show_rollover = shows_credits("rollover_max_microcredits")
    show_spend_cap = shows_credits("spend_cap_microcredits")
    show_invoice_at = shows_credits("overage_invoice_at_microcredits")
    show_published_at = shows_time("published_at")
    show_retired_at = shows_time("retired_at")

    @display(description="Sold although")
    def show_acknowledgement(self, version: PlanVersion) -> str:
        made = PlanAcknowledgement.objects.filter(plan_version=version).first()
        if made is None:
            return "–"
        codes = ", ".join(finding["code"] for finding in made.findings)
        return f"{codes}: {made.reason} ({made.actor}, {made.made_at:%Y-%m-%d %H:%M} UTC)"

    def get_fieldsets(self, request: HttpRequest, obj: PlanVersion | None = None) -> list[Any]:
        fieldsets: list[tuple[str | None, tuple[Any, ...]]] = [
            (None, ("plan", ("price", "interval"), "rate_card")),
            (
                "Allowance",
                (("included_microcredits", "allowance_renewal"), ("rollover_max_microcredits", "allowance_priority")),
            ),
            (
                "Beyond what is included",
                (("overage_price", "spend_cap_microcredits"), ("overage_invoice_at_microcredits", "unpriced")),
            ),
            ("When a payment is overdue", (("grace", "grace_days"),)),
        ]
        if obj is not None:
            fieldsets.append(("History", ("status", ("show_published_at", "show_retired_at"), "show_acknowledgement")))
        swap = {} if is_draft(obj) else SHOWN
        return [(title, {"fields": _swapped(names, swap)}) for title, names in fieldsets]

    def get_readonly_fields(self, request: HttpRequest, obj: PlanVersion | None = None) -> tuple[str, ...]:
        if obj is None:
            return HISTORY
        return (*HISTORY, "plan") if is_draft(obj) else (*HISTORY, *SHOWN.values())

    def has_change_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        return is_draft(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        return is_draft(obj) and bool(super().has_delete_permission(request, obj))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No bulk deletion: it would not ask each version."""
        return {name: made for name, made in super().get_actions(request).items() if name != "delete_selected"}

    def save_model(self, request: HttpRequest, obj: PlanVersion, form: Any, change: bool) -> None:
        if not change:
            top: int | None = obj.plan.versions.aggregate(top=Max("number"))["top"]
            obj.number = (top or 0) + 1
        super().save_model(request, obj, form, change)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only what the version's status allows."""
        status = PlanVersion.objects.filter(pk=object_id).values_list("status", flat=True).first()
        possible = {"draft": {"publish"}, "published": {"retire", "new_draft"}, "retired": {"new_draft"}}
        return [
            offered
            for offered in super().get_actions_detail(request, object_id)
            if offered.path in possible.get(status or "", ())
        ]

    @action(description="Publish", url_path="publish", icon="publish", permissions=["sell"], dialog=dialog(
        "Put this version on sale?",
        "It can never be changed afterwards. The version on sale until now is retired; its subscribers keep it.",
        "Publish",
        form=PublishForm,
    ))  # fmt: skip
    def publish(self, request: HttpRequest, form: PublishForm, object_id: str) -> HttpResponse:
        version = existing(self, request, object_id)
        acknowledged = form.acknowledged()
        attempt(
            request,
            lambda: publish_plan_version(version.pk, now=utc_now(), acknowledged=acknowledged),
            "{} is on sale.",
        )
        return go(request, self._page(object_id))

    @action(description="Retire", url_path="retire", icon="inventory_2", permissions=["sell"], dialog=dialog(
        "Take this version off sale?", "Nobody can subscribe to it any more. Its subscribers keep it.", "Retire"
    ))  # fmt: skip
    def retire(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        version = existing(self, request, object_id)
        attempt(request, lambda: retire_plan_version(version.pk, now=utc_now()), "{} is off sale.")
        return go(request, self._page(object_id))

    @action(description="New draft", url_path="new_draft", icon="edit_note", permissions=["sell"], dialog=dialog(
        "Start the next version?", "A draft is made from the plan's newest version.", "Make a draft"
    ))  # fmt: skip
    def new_draft(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        version = existing(self, request, object_id)
        draft = attempt(request, lambda: new_plan_draft(version.plan_id), "{} is a draft now.")
        return go(request, self._page(object_id if draft is None else draft.pk))

    def has_sell_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("plans.change_planversion")

    @staticmethod
    def _page(version_id: str | int) -> str:
        return reverse("admin:plans_planversion_change", args=[version_id])


def _swapped(names: tuple[Any, ...], swap: dict[str, str]) -> tuple[Any, ...]:
    return tuple(_swapped(name, swap) if isinstance(name, tuple) else swap.get(name, name) for name in names)
