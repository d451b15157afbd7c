"""What customers fill in, read strictly."""

from decimal import Decimal
from typing import Any

from django import forms
from moneyed import Money

from plans.money import decimal_places
from plans.queries.on_sale import packs_on_sale
from plans.terms import PlanTerms
from portal.pages.typed import credits_typed, plain
from portal.words import credits_text, money_text


class CreditsField(forms.CharField):
    """Credits as people write them; microcredits inside."""

    def __init__(self, *, least: int = 0, **options: Any) -> None:
        self.least = least
        super().__init__(max_length=30, **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            microcredits = credits_typed(text)
        except ValueError as refusal:
            raise forms.ValidationError(str(refusal)) from None
        if microcredits < self.least:
            raise forms.ValidationError("Must be more than 0." if self.least else "Must not be below 0.")
        return microcredits


class AutoTopUpForm(forms.Form):
    """Below what to buy, what, and how much a month at most."""

    threshold = CreditsField()
    buys = forms.ChoiceField(choices=())
    credits = CreditsField(required=False, least=1)
    monthly_cap = forms.CharField(required=False, max_length=20)

    def __init__(self, currency: str, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.currency = currency
        packs = [pack for pack in packs_on_sale() if str(pack.price.currency) == currency and pack.price.amount > 0]
        field: Any = self.fields["buys"]
        field.choices = [
            *(
                (pack.key, f"{pack.name}: {credits_text(pack.microcredits)} for {money_text(pack.price)}")
                for pack in packs
            ),
            ("", "another amount"),
        ]
        field.required = False
        self.sells = bool(packs)

    def clean_monthly_cap(self) -> Money | None:
        text = plain(self.cleaned_data["monthly_cap"])
        if not text:
            return None
        places = decimal_places(self.currency)
        if not text.replace(".", "", 1).isdecimal() or not text.isascii() or len(text.partition(".")[2]) > places:
            raise forms.ValidationError(
                f"Must be an amount of {self.currency} such as {'50' if not places else '50.00'}."
            )
        amount = Decimal(text)
        if not 0 < amount < 10**9:
            raise forms.ValidationError("Must be more than 0.")
        return Money(amount, self.currency)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("buys") and cleaned.get("credits") is None and "credits" not in self.errors:
            self.add_error("credits", "Say how many credits to buy.")
        return cleaned


class SpendCapForm(forms.Form):
    """Where overage stops, below the plan's own cap."""

    cap = CreditsField()

    def __init__(self, plan: PlanTerms | None, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.plan = plan

    def clean_cap(self) -> int:
        cap: int = self.cleaned_data["cap"]
        most = self.plan.spend_cap_microcredits if self.plan else None
        if most is not None and cap > most:
            raise forms.ValidationError(f"The plan stops overage at {credits_text(most)} credits already.")
        return cap
