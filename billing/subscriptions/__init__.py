"""Subscriptions that Stripe collects for: begun, changed, ended, and kept in line with ours. docs/adr/0011.

Stripe's anchor is our anchor, so its periods are our periods. Our own timeline renews allowances at them, by itself
and once; what Stripe tells decides whether the customer is on the plan at all, and whether a payment is overdue.
"""
