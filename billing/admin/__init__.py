"""Money in, for staff: what Stripe was asked, and what came of it. Facts are shown; changes go through services."""

from billing.admin import events, invoices, subscriptions, top_ups, webhooks

__all__ = ["events", "invoices", "subscriptions", "top_ups", "webhooks"]
