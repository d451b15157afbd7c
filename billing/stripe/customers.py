"""Customers (https://docs.stripe.com/api/customers): whom Stripe charges, and by which card."""

from typing import Any

import msgspec

from billing.stripe.client import asking, mutation, plain


class CustomerSeen(msgspec.Struct, frozen=True):
    """A customer as Stripe shows it now. Of a deleted one only the id is left."""

    id: str
    deleted: bool
    default_payment_method: str
    raw: dict[str, Any]


def create_customer(*, name: str, email: str, key: str, product_key: str) -> CustomerSeen:
    """Make a customer, once per `key`. `product_key` is what the product calls it, for people who look at Stripe."""
    asked: dict[str, Any] = {"metadata": {"weir_customer": product_key}}
    asked |= {"name": name} if name else {}
    asked |= {"email": email} if email else {}
    with asking() as stripe:
        return _seen(plain(stripe.v1.customers.create(asked, mutation(key))))  # type: ignore[arg-type]


def customer(stripe_id: str) -> CustomerSeen:
    """The customer now. Raises Gone for one that never was."""
    with asking() as stripe:
        return _seen(plain(stripe.v1.customers.retrieve(stripe_id)))


def charge_by_default(stripe_id: str, payment_method: str, *, key: str) -> CustomerSeen:
    """Make a saved payment method the one that is charged while its owner is away."""
    with asking() as stripe:
        settings: Any = {"invoice_settings": {"default_payment_method": payment_method}}
        return _seen(plain(stripe.v1.customers.update(stripe_id, settings, mutation(key))))


def _seen(raw: dict[str, Any]) -> CustomerSeen:
    return CustomerSeen(
        id=raw["id"],
        deleted=bool(raw.get("deleted")),
        default_payment_method=(raw.get("invoice_settings") or {}).get("default_payment_method") or "",
        raw=raw,
    )
