"""Customers and their accounts in the admin. Facts are only shown; changes go through the services."""

from entitlements.admin import (
    customers,
    decisions,
    grants,
    holds,
    ledger,
    margin_guards,
    messages,
    runs,
    subscriptions,
    usage,
)

__all__ = [
    "customers",
    "decisions",
    "grants",
    "holds",
    "ledger",
    "margin_guards",
    "messages",
    "runs",
    "subscriptions",
    "usage",
]
