"""What a plan version includes: entitlements, fallback chain and limits, as tables of its page."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from kernel.units import MAX_AMOUNT
from plans.models import FallbackStep, PlanEntitlement, PlanLimit, PlanVersion
from plans.terms import LIMIT_SCALES


def is_draft(version: PlanVersion | None) -> bool:
    return version is None or version.status == PlanVersion.Status.DRAFT


class DraftOnlyInline(TabularInline):
    """A part of a version: open while the version is a draft."""

    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        return is_draft(obj) and bool(super().has_add_permission(request, obj))

    def has_change_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        return is_draft(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: PlanVersion | None = None) -> bool:
        return is_draft(obj) and bool(super().has_delete_permission(request, obj))


class EntitlementInline(DraftOnlyInline):
    model = PlanEntitlement
    fields = ("feature", "max_tier", "at_limit", "config")
    ordering = ("id",)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "config":
            kwargs["widget"] = UnfoldAdminTextInputWidget(attrs={"placeholder": "value of a static feature"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class FallbackInline(DraftOnlyInline):
    model = FallbackStep
    fields = ("position", "model")
    ordering = ("position",)
    verbose_name = "fallback"
    verbose_name_plural = "Fallback chain: tried in this order when a dearer model is refused"


class LimitForm(forms.ModelForm):  # type: ignore[type-arg]
    """A limit's value in the unit people think in; the column holds microcredits or nano-USD."""

    value = forms.DecimalField(
        min_value=Decimal(0), widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}), label="Value"
    )

    class Meta:
        model = PlanLimit
        fields = ("key", "scope", "feature", "tier", "unit", "window", "kind", "value", "warn_at_percent")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial["value"] = in_unit(self.instance)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("value") is None or cleaned.get("unit") not in LIMIT_SCALES:
            return cleaned
        scaled = cleaned["value"] * LIMIT_SCALES[cleaned["unit"]]
        if scaled != scaled.to_integral_value():
            self.add_error("value", f"{cleaned['value']} has more decimal places than {cleaned['unit']} are kept to.")
        elif scaled > MAX_AMOUNT:
            self.add_error("value", "This is too much.")
        else:
            cleaned["value"] = int(scaled)
        return cleaned

    def clean_warn_at_percent(self) -> list[int]:
        percents: list[int] = self.cleaned_data["warn_at_percent"] or []
        if any(not 1 <= percent <= 100 for percent in percents):
            raise ValidationError("Percentages between 1 and 100, such as 80, 95.")
        return percents


class LimitInline(DraftOnlyInline):
    model = PlanLimit
    form = LimitForm
    fields: tuple[str, ...] = LimitForm.Meta.fields
    verbose_name_plural = "Limits: values in calls, tokens, credits, or US dollars for cost"

    def get_fields(self, request: HttpRequest, obj: PlanVersion | None = None) -> tuple[str, ...]:
        """A published version's values are shown in the unit too."""
        return (
            self.fields if is_draft(obj) else tuple("show_value" if name == "value" else name for name in self.fields)
        )

    def get_readonly_fields(self, request: HttpRequest, obj: PlanVersion | None = None) -> tuple[str, ...]:
        return () if is_draft(obj) else ("show_value",)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "warn_at_percent":
            kwargs["widget"] = UnfoldAdminTextInputWidget(attrs={"placeholder": "80, 95"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @display(description="Value")
    def show_value(self, limit: PlanLimit) -> str:
        return f"{in_unit(limit):f}"


def in_unit(limit: PlanLimit) -> Decimal:
    """A limit's value as people write it: credits, not microcredits; dollars, not nano-USD."""
    value = (Decimal(limit.value) / LIMIT_SCALES[limit.unit]).normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value
