"""Stripe's objects, one family a file. Importing a family adds its routes."""
