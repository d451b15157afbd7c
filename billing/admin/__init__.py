"""Money in, for staff: what Stripe was asked, and what came of it. Facts are shown; changes go through services."""

from billing.admin import invoices, subscriptions

__all__ = ["invoices", "subscriptions"]
