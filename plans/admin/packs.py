from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.decorators import display

from kernel.units import MICROCREDITS_PER_CREDIT
from plans.admin.fields import CreditsMixin, shows_credits
from plans.models import TopUpPack


@admin.register(TopUpPack)
class TopUpPackAdmin(CreditsMixin, ModelAdmin):
    list_display = ("key", "name", "show_credits", "show_bonus", "price", "show_price_of_a_credit", "active")
    list_filter = ("active",)
    search_fields = ("key", "name")
    ordering = ("position", "key")

    show_credits = shows_credits("microcredits")
    show_bonus = shows_credits("bonus_microcredits")

    @display(description="A credit costs")
    def show_price_of_a_credit(self, pack: TopUpPack) -> str:
        each = pack.price.amount * MICROCREDITS_PER_CREDIT / (pack.microcredits + pack.bonus_microcredits)
        return f"{each:.4f} {pack.price.currency}"
