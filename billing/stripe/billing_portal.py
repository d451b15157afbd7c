"""Stripe's own page for a customer's cards (https://docs.stripe.com/api/customer_portal/sessions)."""

from typing import Any

from billing.stripe.client import asking, mutation


def open_billing_portal(stripe_id: str, *, return_url: str, key: str) -> str:
    """A link to the page, good for a few minutes and one customer. Raises Gone, Invalid, StripeUnavailable."""
    asked: Any = {"customer": stripe_id, "return_url": return_url}
    with asking() as stripe:
        return str(stripe.v1.billing_portal.sessions.create(asked, mutation(key)).url)
