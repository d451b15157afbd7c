"""What a plan version includes: entitlements, fallback chain and limits, as tables of its page."""

import json
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from kernel.units import MAX_AMOUNT
from plans.admin.parts import DraftPartInline, is_draft
from plans.models import FallbackStep, PlanEntitlement, PlanLimit, PlanVersion
from plans.terms import LIMIT_SCALES, limit_in_unit, window_fault

UNITS: Final = {"calls": "calls", "tokens": "tokens", "credits": "credits", "cost": "supplier cost, USD"}
SHOWN: Final = {"unit": "show_unit", "value": "show_value", "warn_at_percent": "show_warn_at"}
"""How a version that cannot change shows what a draft's form edits."""


class ValueField(forms.JSONField):
    """A static feature's value. Nothing is nothing, not ``null``."""

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


class EntitlementInline(DraftPartInline):
    model = PlanEntitlement
    ordering = ("id",)
    verbose_name = "entitlement"
    verbose_name_plural = "Entitlements: which features, and on models up to which tier"

    def get_fields(self, request: HttpRequest, obj: PlanVersion | None = None) -> tuple[str, ...]:
        return ("feature", "max_tier", "at_limit", "config" if is_draft(obj) else "show_config")

    def get_readonly_fields(self, request: HttpRequest, obj: PlanVersion | None = None) -> tuple[str, ...]:
        return () if is_draft(obj) else ("show_config",)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "config":
            return ValueField(
                required=False,
                label="Value",
                widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "of a static feature"}),
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @display(description="Value")
    def show_config(self, entitlement: PlanEntitlement) -> str:
        return "–" if entitlement.config is None else json.dumps(entitlement.config)


class FallbackInline(DraftPartInline):
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
            self.initial["value"] = limit_in_unit(self.instance.value, self.instance.unit)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        fault = window_fault(cleaned.get("scope", ""), cleaned.get("window", ""))
        if fault is not None:
            self.add_error("window", f"{fault[0].upper()}{fault[1:]}.")
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


class LimitInline(DraftPartInline):
    model = PlanLimit
    form = LimitForm
    verbose_name = "limit"
    verbose_name_plural = "Limits: what says no, or warns, besides the balance"

    def get_fields(self, request: HttpRequest, obj: PlanVersion | None = None) -> tuple[str, ...]:
        """A published version's values are shown in the unit people think in, too."""
        names: tuple[str, ...] = LimitForm.Meta.fields
        return names if is_draft(obj) else tuple(SHOWN.get(name, name) for name in names)

    def get_readonly_fields(self, request: HttpRequest, obj: PlanVersion | None = None) -> tuple[str, ...]:
        return () if is_draft(obj) else tuple(SHOWN.values())

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "warn_at_percent":
            kwargs["widget"] = UnfoldAdminTextInputWidget(attrs={"placeholder": "80, 95"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "unit":
            kwargs["choices"] = list(UNITS.items())
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    @display(description="Unit")
    def show_unit(self, limit: PlanLimit) -> str:
        return UNITS[limit.unit]

    @display(description="Value")
    def show_value(self, limit: PlanLimit) -> str:
        return f"{limit_in_unit(limit.value, limit.unit):,f}"

    @display(description="Warn at percent")
    def show_warn_at(self, limit: PlanLimit) -> str:
        return ", ".join(map(str, limit.warn_at_percent)) or "–"
