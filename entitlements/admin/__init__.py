"""Customers and their accounts in the admin. Facts are only shown; changes go through the services."""

from entitlements.admin import customers, grants, ledger, subscriptions, usage

__all__ = ["customers", "grants", "ledger", "subscriptions", "usage"]
