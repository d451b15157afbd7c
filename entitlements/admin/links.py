"""Links between the lines of one customer, and words for what many of them show."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html

from kernel.units import format_credits, format_usd


def line_link(line: str, customer_id: int, row_key: UUID | int, text: str) -> str:
    """A link to a line's page: ``line_link("holdline", 7, hold.id, hold.key)``."""
    url = reverse(f"admin:entitlements_{line}_change", args=[f"{customer_id}-{row_key}"])
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, text)


def list_url(line: str, customer_id: int, **filters: Any) -> str:
    """The address of a customer's lines, filtered."""
    query = "".join(f"&{name}={value}" for name, value in filters.items())
    return f"{reverse(f'admin:entitlements_{line}_changelist')}?customer={customer_id}{query}"


def as_json(value: Any) -> str:
    """JSON to read, as it is stored: amounts in it are microcredits and nano-USD."""
    return format_html('<pre class="text-xs whitespace-pre-wrap">{}</pre>', json.dumps(value, indent=2))


def at(instant: datetime | None) -> str:
    """An instant to the second, in UTC."""
    return "–" if instant is None else f"{instant:%Y-%m-%d %H:%M:%S}"


def credits_of(used: int | None, most: int | None = None) -> str:
    """Credits, of how many at most: ``3.5 of 50``."""
    return _of("unrated" if used is None else format_credits(used), None if most is None else format_credits(most))


def cost_of(used: int | None, most: int | None = None) -> str:
    """US dollars, of how many at most."""
    return _of("unpriced" if used is None else format_usd(used), None if most is None else format_usd(most))


def count_of(used: int, most: int | None = None) -> str:
    """A count, of how many at most."""
    return _of(f"{used:,}", None if most is None else f"{most:,}")


def _of(used: str, most: str | None) -> str:
    return used if most is None else f"{used} of {most}"
