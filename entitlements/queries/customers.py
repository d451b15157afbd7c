"""Finding customers."""

import json
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from entitlements.models import Customer, Subscription

OPEN_SUBSCRIPTION = Prefetch(
    "subscriptions",
    queryset=Subscription.objects.filter(ended_at=None).select_related("plan_version__plan"),
    to_attr="open_subscriptions",
)
"""Fetches `customer.open_subscriptions`: none or one."""


def find_customers(*, tag: tuple[str, str | None] | None = None, plan: str | None = None) -> "QuerySet[Customer]":
    """Customers with the tag (of that value, if one is given) and on the plan of that key."""
    customers = Customer.objects.prefetch_related(OPEN_SUBSCRIPTION)
    if plan is not None:
        customers = customers.filter(subscriptions__ended_at=None, subscriptions__plan_version__plan__key=plan)
    if tag is not None:
        customers = customers.filter(_has_tag(*tag))
    return customers


def _has_tag(name: str, value: str | None) -> Q:
    """The value is a text in a URL, so it also finds the number or boolean it spells."""
    if value is None:
        return Q(tags__has_key=name)
    return Q(tags__contains={name: value}) | Q(tags__contains={name: _spelled(value)})


def _spelled(value: str) -> Any:
    try:
        scalar = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return scalar if isinstance(scalar, bool | int) else value
