"""Cost cards in the admin: a draft is a form, a published card a price list that can only be ended."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeVerticalWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from kernel.clock import utc_now
from kernel.units import InexactAmount, format_usd, parse_usd
from metering.costing.rates import KINDS
from metering.models import CostCard, CostRate
from metering.rerating.admin import ReratingAdmin
from metering.services.cost_cards import end_cost_card, publish_cost_card
from plans.admin.outcome import attempt, dialog, go

__all__ = ["CostCardAdmin", "ReratingAdmin"]


class DollarsField(forms.Field):
    """Nano-USD inside, a decimal number of dollars in the form. Exact, never negative."""

    widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"})

    def prepare_value(self, value: Any) -> Any:
        """What was typed comes back as it was typed."""
        return format_usd(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        try:
            nanousd = parse_usd(str(value).strip())
        except InexactAmount as error:
            raise ValidationError(str(error)) from None
        if nanousd < 0:
            raise ValidationError("must not be negative")
        return nanousd

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


class CostRateForm(forms.ModelForm):  # type: ignore[type-arg] # Django's own is not generic at run time
    kind = forms.ChoiceField(choices=[(kind, kind) for kind in sorted(KINDS)], widget=UnfoldAdminSelectWidget)
    rate_nanousd_per_million = DollarsField(label="USD per million")

    class Meta:
        model = CostRate
        fields = ("kind", "above_input_tokens", "rate_nanousd_per_million")


class CostRateInline(TabularInline):
    model = CostRate
    form = CostRateForm
    extra = 0
    verbose_name_plural = "Rates, in USD per million units: a kind without one is priced as the kind it is part of"

    def get_fields(self, request: HttpRequest, obj: CostCard | None = None) -> tuple[str, ...]:
        return ("kind", "above_input_tokens", "rate_nanousd_per_million" if is_draft(obj) else "show_rate")

    def get_readonly_fields(self, request: HttpRequest, obj: CostCard | None = None) -> tuple[str, ...]:
        return () if is_draft(obj) else self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: CostCard | None = None) -> bool:
        return is_draft(obj) and bool(super().has_add_permission(request, obj))

    def has_change_permission(self, request: HttpRequest, obj: CostCard | None = None) -> bool:
        return is_draft(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: CostCard | None = None) -> bool:
        return is_draft(obj) and bool(super().has_delete_permission(request, obj))

    @display(description="USD per million")
    def show_rate(self, rate: CostRate) -> str:
        return format_usd(rate.rate_nanousd_per_million)


class EndForm(BaseDialogForm):
    until = forms.SplitDateTimeField(
        widget=UnfoldAdminSplitDateTimeVerticalWidget, help_text="UTC. The card holds before it."
    )


@admin.register(CostCard)
class CostCardAdmin(ModelAdmin):
    """What a supplier really charges us, above every list price."""

    inlines = (CostRateInline,)
    list_display = ("__str__", "show_status", "processing", "region", "effective_from", "effective_until", "source")
    list_filter = ("status", "provider")
    search_fields = ("model", "provider", "source")
    actions_detail = ("publish", "end")
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("provider", ("match", "model"), ("processing", "region"), "source")}),
        ("In force", {"fields": ("effective_from", "effective_until")}),
        ("History", {"fields": (("status", "published_at"), ("created_by", "created_at"))}),
    )
    readonly_fields = ("status", "published_at", "created_by", "created_at")
    formfield_overrides = {models.TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 2})}}

    def has_change_permission(self, request: HttpRequest, obj: CostCard | None = None) -> bool:
        return is_draft(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: CostCard | None = None) -> bool:
        return is_draft(obj) and bool(super().has_delete_permission(request, obj))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No bulk deletion: it would not ask each card."""
        return {name: made for name, made in super().get_actions(request).items() if name != "delete_selected"}

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Publishing is offered for drafts, an end for published cards without one."""
        card = CostCard.objects.filter(pk=object_id).first()
        offered = "publish" if is_draft(card) else "end" if card and card.effective_until is None else None
        return [item for item in super().get_actions_detail(request, object_id) if item.path == offered]

    def save_model(self, request: HttpRequest, obj: CostCard, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = str(request.user)
        super().save_model(request, obj, form, change)

    @display(description="Status", ordering="status", label={"draft": "warning", "published": "success"})
    def show_status(self, card: CostCard) -> str:
        return card.status

    @action(description="Publish", url_path="publish", icon="publish", permissions=["publish"], dialog=dialog(
        "Publish these rates?",
        "They can never be changed afterwards. They price events that arrive from now on; what was stamped stays.",
        "Publish",
    ))  # fmt: skip
    def publish(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        attempt(request, lambda: publish_cost_card(int(object_id), utc_now()), "{} is published.")
        return go(request, reverse("admin:metering_costcard_change", args=[object_id]))

    @action(description="End", url_path="end", icon="event_busy", permissions=["publish"], dialog=dialog(
        "End this card",
        "From then on calls are priced by the next best card, or by the list price. It can be said once.",
        "End",
        form=EndForm,
    ))  # fmt: skip
    def end(self, request: HttpRequest, form: EndForm, object_id: str) -> HttpResponse:
        until = form.cleaned_data["until"]
        attempt(request, lambda: end_cost_card(int(object_id), until), "{} has an end.")
        return go(request, reverse("admin:metering_costcard_change", args=[object_id]))

    def has_publish_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return bool(request.user.has_perm("metering.change_costcard"))


def is_draft(card: CostCard | None) -> bool:
    """Whether the rates may still change."""
    return card is None or card.status == CostCard.Status.DRAFT
