"""Customers as the product knows them: created and kept up by the product's own key."""

from datetime import datetime
from functools import cache
from typing import Any, Final, TypedDict
from zoneinfo import available_timezones

from django.conf import settings
from django.db import transaction

from entitlements.models import CreditGrant, Customer, Subscription
from kernel.errors import Conflict, InvalidInput

MAX_KEY: Final = 128
MAX_TAGS: Final = 32


class CustomerDetails(TypedDict, total=False):
    """What can be said of a customer. What is left out stays as it is, or takes its default at creation."""

    name: str
    email: str
    currency: str
    time_zone: str
    tags: dict[str, Any]


class CurrencyInUse(Conflict):
    code = "currency_in_use"
    title = "The customer's currency can no longer change"


def upsert_customer(key: str, details: CustomerDetails, now: datetime) -> tuple[Customer, bool]:
    """Create the customer, or change what `details` says. Returns the customer and whether it is new.

    Raises InvalidInput (`key`, `currency`, `time_zone`), CurrencyInUse.
    """
    check_customer_key(key)
    _check_details(details)
    with transaction.atomic():
        customer, created = Customer.objects.get_or_create(key=key, defaults={**details, "created_at": now})
        if not created:
            customer = Customer.objects.select_for_update().get(pk=customer.pk)
            _change(customer, details)
    return customer, created


def check_customer_key(key: str) -> None:
    """Refuse keys that cannot be a path segment or be read by a person. Raises InvalidInput."""
    if not is_customer_key(key):
        raise InvalidInput(
            f"a customer's key has 1 to {MAX_KEY} printable characters, no slash and no space at either end",
            field="key",
        )


def is_customer_key(key: str) -> bool:
    """Whether the text could be a customer's key. "." and ".." are not: HTTP clients resolve them away."""
    return (
        1 <= len(key) <= MAX_KEY
        and key.isprintable()
        and "/" not in key
        and key == key.strip()
        and key not in {".", ".."}
    )


def _check_details(details: CustomerDetails) -> None:
    currency, time_zone = details.get("currency"), details.get("time_zone")
    if currency is not None and currency not in settings.CURRENCIES:
        raise InvalidInput(f"must be one of {', '.join(settings.CURRENCIES)}", field="currency")
    if time_zone is not None and time_zone not in _time_zones():
        raise InvalidInput("must be an IANA time zone such as Europe/Berlin", field="time_zone")


def _change(customer: Customer, details: CustomerDetails) -> None:
    changed = [name for name, value in details.items() if getattr(customer, name) != value]
    if "currency" in changed:
        check_currency_is_free(customer)
    for name in changed:
        setattr(customer, name, details[name])  # type: ignore[literal-required]
    if changed:
        customer.save(update_fields=changed)


def check_currency_is_free(customer: Customer) -> None:
    """Refuse when the customer has subscribed or paid: two currencies cannot be added up. Raises CurrencyInUse."""
    subscribed = Subscription.objects.filter(customer=customer).exists()
    if subscribed or CreditGrant.objects.filter(customer_id=customer.pk, paid__gt=0).exists():
        raise CurrencyInUse(f"{customer.key} has subscribed or paid in {customer.currency}", field="currency")


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
