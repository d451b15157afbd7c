"""Form fields and displays in the units people think in: credits, not microcredits; one id per line."""

from collections.abc import Callable
from datetime import UTC
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from kernel.units import InexactAmount, format_credits, parse_credits
from plans.money import exact_money


class CreditsFormField(forms.Field):
    """Microcredits inside, a decimal number of credits in the form. Exact, never negative."""

    widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "style": "min-width: 5rem"})

    def __init__(self, *, when_empty: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.when_empty = when_empty

    def prepare_value(self, value: Any) -> Any:
        """What was typed comes back as it was typed."""
        return format_credits(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return self.when_empty
        try:
            microcredits = parse_credits(str(value).strip())
        except InexactAmount as error:
            raise ValidationError(str(error)) from None
        if microcredits < 0:
            raise ValidationError("must not be negative")
        return int(microcredits)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


class LinesFormField(forms.Field):
    """A list of texts, one per line."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(data) != (initial or [])


class CreditsMixin:
    """For admin classes: every ``…microcredits`` column is edited as credits, and labelled so."""

    credits_help: ClassVar[dict[str, str]] = {}
    """Help for columns whose own help text is about microcredits."""

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        if not db_field.name.endswith("microcredits"):
            return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        default = db_field.get_default() if db_field.has_default() else None
        return CreditsFormField(
            label=credits_label(db_field.name),
            help_text=self.credits_help.get(db_field.name, db_field.help_text),
            required=not db_field.null and not db_field.has_default(),
            initial=default,
            when_empty=default,
        )


class KeyStays:
    """For admin classes: a key is chosen once; files, the API and the product's code refer to it."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields: tuple[str, ...] = tuple(super().get_readonly_fields(request, obj))  # type: ignore[misc]
        return fields if obj is None else (*fields, "key")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The key first, also when it is no input any more."""
        others = [name for name in super().get_fields(request, obj) if name != "key"]  # type: ignore[misc]
        return ["key", *others]


class PlainSelects:
    """For inlines: choices without buttons to add and change what is chosen; an empty one says it means any."""

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        formfield = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if isinstance(getattr(formfield, "widget", None), RelatedFieldWidgetWrapper):
            formfield.widget = formfield.widget.widget
            formfield.widget.attrs["style"] = "min-width: 7rem"
            if not formfield.required:
                formfield.empty_label = "any"
        return formfield


def shows_money(name: str, label: str) -> Callable[[Any, Any], str]:
    """An admin column that shows a price with all its decimal places: a credit may cost less than a cent."""

    @display(description=label, ordering=name)
    def show(_: Any, row: Any) -> str:
        price = getattr(row, name)
        return "–" if price is None else exact_money(price)

    return show  # type: ignore[no-any-return]


def credits_label(name: str) -> str:
    """``rollover_max_microcredits`` → Rollover max, credits."""
    what = name.removesuffix("microcredits").rstrip("_").replace("_", " ")
    return f"{what}, credits".capitalize() if what else "Credits"


def shows_credits(name: str) -> Callable[[Any, Any], str]:
    """An admin column that shows the microcredits column `name` as credits."""

    @display(description=credits_label(name), ordering=name)
    def show(_: Any, row: Any) -> str:
        amount = getattr(row, name)
        return "–" if amount is None else grouped(format_credits(amount))

    return show  # type: ignore[no-any-return]


def shows_time(name: str) -> Callable[[Any, Any], str]:
    """An admin column that shows an instant as ``2026-10-24 21:39``, UTC: short enough for one line."""

    @display(description=name.replace("_", " ").capitalize(), ordering=name)
    def show(_: Any, row: Any) -> str:
        instant = getattr(row, name)
        return "–" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"

    return show  # type: ignore[no-any-return]


def grouped(number: str) -> str:
    """A decimal string for the eye: ``60000.5`` → 60,000.5."""
    return f"{Decimal(number):,f}"
