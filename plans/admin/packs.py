from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from unfold.admin import ModelAdmin
from unfold.decorators import display

from kernel.units import MICROCREDITS_PER_CREDIT
from plans.admin.fields import CreditsMixin, KeyStays, shows_credits, shows_money
from plans.models import TopUpPack
from plans.money import decimal_places


class TopUpPackForm(forms.ModelForm):  # type: ignore[type-arg] # Django's own is not generic at run time
    def clean_price(self) -> Any:
        """Nobody can pay a fraction of the smallest coin."""
        price = self.cleaned_data["price"]
        places = decimal_places(str(price.currency))
        if price.amount != round(price.amount, places):
            raise ValidationError(f"{price.currency} has {places} decimal places.")
        return price


@admin.register(TopUpPack)
class TopUpPackAdmin(KeyStays, CreditsMixin, ModelAdmin):
    form = TopUpPackForm
    list_display = ("key", "name", "show_credits", "show_bonus", "show_price", "show_price_of_a_credit", "active")
    list_filter = ("active",)
    search_fields = ("key", "name")
    ordering = ("position", "key")

    show_credits = shows_credits("microcredits")
    show_price = shows_money("price", "Price")
    show_bonus = shows_credits("bonus_microcredits")

    @display(description="A credit costs")
    def show_price_of_a_credit(self, pack: TopUpPack) -> str:
        each = pack.price.amount * MICROCREDITS_PER_CREDIT / (pack.microcredits + pack.bonus_microcredits)
        return f"{each:.4f} {pack.price.currency}"
