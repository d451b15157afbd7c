"""The rows of a rate card version as a price list: one line each, with the usual kinds as columns."""

import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from kernel.units import InexactAmount, format_credits, parse_credits
from kernel.usage import FIELDS
from plans.admin.fields import CreditsFormField, CreditsMixin, grouped, shows_credits
from plans.admin.parts import DraftPartInline, PartFormSet, is_draft
from plans.models import Rate, RateCardVersion, TokenRate

COLUMNS: Final = {
    "input_tokens": "Input, 1M",
    "cache_read_tokens": "Cached, 1M",
    "output_tokens": "Output, 1M",
}
"""Kinds with a column of their own, in credits per million."""

UNITS: Final = {"each": 1, "per 1k": 1_000, "per 1M": 1_000_000}
_OTHER: Final = re.compile(r"(?P<kind>[a-z0-9_]+):? +(?P<credits>[0-9.]+) *(?P<unit>each|per 1k|per 1M)?")

Prices = dict[str, tuple[int, int]]
"""Usage kind → (microcredits, per how many)."""


class RateForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rate row and its token prices together."""

    other_prices = forms.CharField(
        required=False,
        label="Other kinds",
        widget=UnfoldAdminTextareaWidget(
            attrs={"rows": 2, "placeholder": "web_searches 2 each", "style": "min-width: 15rem"}
        ),
    )

    class Meta:
        model = Rate
        fields = ("feature", "model", "tier", "action_microcredits", "minimum_microcredits")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (("action_microcredits", "Action"), ("minimum_microcredits", "Minimum")):
            if name in self.fields:
                # The heading of the table says credits once for all of them.
                self.fields[name].label, self.fields[name].help_text = label, ""
        for kind, label in COLUMNS.items():
            self.fields[kind] = CreditsFormField(required=False, label=label)
        if self.instance.pk is not None:
            prices = stored_prices(self.instance)
            self.initial.update({kind: prices[kind][0] for kind in COLUMNS if _in_column(kind, prices)})
            self.initial["other_prices"] = other_prices(prices)

    def clean_other_prices(self) -> Prices:
        prices: Prices = {}
        for line in self.cleaned_data["other_prices"].splitlines():
            if not line.strip():
                continue
            found = _OTHER.fullmatch(line.strip())
            if found is None or found["kind"] not in FIELDS:
                raise ValidationError(
                    f"{line.strip()!r}: write a kind, credits and a unit, such as web_searches 2 each."
                )
            try:
                microcredits = int(parse_credits(found["credits"]))
            except InexactAmount as error:
                raise ValidationError(f"{line.strip()!r}: {error}") from None
            prices[found["kind"]] = microcredits, UNITS[found["unit"] or "per 1M"]
        return prices

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("model") and cleaned.get("tier"):
            self.add_error("tier", "A rate applies to a model or to a tier, not to both.")
        for kind in set(COLUMNS) & set(cleaned.get("other_prices") or {}):
            if cleaned.get(kind) is not None:
                self.add_error("other_prices", f"{kind} has a column already.")
        return cleaned

    def _save_m2m(self) -> None:
        """The token prices need the row first, as many-to-many data does."""
        super()._save_m2m()  # type: ignore[misc]
        columns = {kind: (self.cleaned_data[kind], UNITS["per 1M"]) for kind in COLUMNS}
        prices: Prices = {kind: price for kind, price in columns.items() if price[0] is not None}
        prices |= self.cleaned_data["other_prices"]
        self.instance.token_rates.all().delete()
        TokenRate.objects.bulk_create(
            TokenRate(rate=self.instance, kind=kind, microcredits=amount, per=per)
            for kind, (amount, per) in prices.items()
        )


class RateFormSet(PartFormSet):
    def clean(self) -> None:
        """Two rows may not apply to the same: Django does not compare new rows whose selectors are empty."""
        super().clean()
        seen: set[tuple[Any, ...]] = set()
        for form in self.forms:
            cleaned = getattr(form, "cleaned_data", {})
            if not cleaned or cleaned.get("DELETE"):
                continue
            selector = tuple(cleaned.get(name) for name in ("feature", "model", "tier"))
            if selector in seen:
                form.add_error("feature", "Another row applies to the same.")
            seen.add(selector)


class RateInline(CreditsMixin, DraftPartInline):
    model = Rate
    form = RateForm
    formset = RateFormSet
    ordering = ("id",)
    verbose_name_plural = "Rates, in credits: the most specific row prices the whole action"

    show_action = shows_credits("action_microcredits")
    show_minimum = shows_credits("minimum_microcredits")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Rate]":
        rates: QuerySet[Rate] = super().get_queryset(request)
        return rates.select_related("feature", "model", "tier").prefetch_related("token_rates")

    def get_fields(self, request: HttpRequest, obj: RateCardVersion | None = None) -> tuple[str, ...]:
        selectors = ("feature", "model", "tier")
        if is_draft(obj):
            return (*selectors, "action_microcredits", "minimum_microcredits", *COLUMNS, "other_prices")
        return (*selectors, "show_action", "show_minimum", *(f"show_{kind}" for kind in COLUMNS), "show_other")

    def get_readonly_fields(self, request: HttpRequest, obj: RateCardVersion | None = None) -> tuple[str, ...]:
        return () if is_draft(obj) else self.get_fields(request, obj)[3:]

    def get_formset(self, request: HttpRequest, obj: RateCardVersion | None = None, **kwargs: Any) -> Any:
        # The kinds' columns are fields of the form, not of the model the factory looks at.
        return super().get_formset(request, obj, fields=RateForm.Meta.fields if is_draft(obj) else (), **kwargs)

    @display(description="Other kinds")
    def show_other(self, rate: Rate) -> str:
        return other_prices(stored_prices(rate)) or "–"


def _shows_kind(kind: str) -> Any:
    @display(description=COLUMNS[kind])
    def show(_: RateInline, rate: Rate) -> str:
        prices = stored_prices(rate)
        return grouped(format_credits(prices[kind][0])) if _in_column(kind, prices) else "–"

    return show


for column in COLUMNS:
    setattr(RateInline, f"show_{column}", _shows_kind(column))


def stored_prices(rate: Rate) -> Prices:
    """The token prices of a row; none for a row that is not saved yet."""
    return {item.kind: (item.microcredits, item.per) for item in rate.token_rates.all()} if rate.pk else {}


def other_prices(prices: Prices) -> str:
    """The prices without a column, as the form writes them: ``web_searches 2 each``, one per line."""
    names = {per: name for name, per in UNITS.items()}
    return "\n".join(
        f"{kind} {format_credits(microcredits)} {names[per]}"
        for kind, (microcredits, per) in sorted(prices.items())
        if not _in_column(kind, prices)
    )


def _in_column(kind: str, prices: Prices) -> bool:
    return kind in COLUMNS and kind in prices and prices[kind][1] == UNITS["per 1M"]
