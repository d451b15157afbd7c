"""Figures in templates, worded as everywhere on these pages."""

from typing import Any

from django import template

from billing.models import TopUpOrder
from portal.words import credits_text, money_text

register = template.Library()


@register.filter
def money(amount: Any) -> str:
    return money_text(amount)


@register.filter
def order_credits(order: TopUpOrder) -> str:
    """What an order gives, with its bonus."""
    return credits_text(order.microcredits + order.bonus_microcredits)
