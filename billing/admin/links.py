"""Links between the pages of money in, and to Stripe's own."""

from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html

from plans.money import exact_money

_CLASSES = "text-primary-600 dark:text-primary-500"


def row_link(row: Model | None) -> str:
    """A link to a row's page; a dash where there is none."""
    if row is None:
        return "–"
    meta = row._meta  # noqa: SLF001 - Django's documented API
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    return format_html('<a class="{}" href="{}">{}</a>', _CLASSES, url, row)


def web_link(url: str, text: str = "open") -> str:
    """A link to a page of Stripe's; a dash where there is none."""
    if not url:
        return "–"
    return format_html('<a class="{}" href="{}" rel="noreferrer">{}</a>', _CLASSES, url, text)


def money(amount: Any) -> str:
    """An amount with its currency; a dash for none."""
    return "–" if amount is None else exact_money(amount)
