"""Customers and their cards at Stripe, brought in line."""

from datetime import datetime

from billing.convergence.registry import converges
from billing.services.customers import converge_customer


@converges("customer")
def customer(stripe_id: str, now: datetime) -> None:
    """Changed, or deleted: then nothing is charged until somebody buys again."""
    converge_customer(stripe_id, now)
