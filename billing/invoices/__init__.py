"""Stripe's invoices, kept here for customers' own pages and for staff. Stripe's copy is the invoice; ours shows it."""
