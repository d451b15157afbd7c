"""A stateful stand-in for Stripe's HTTP API on loopback: for tests, and for a first `make run` without a Stripe key.

It is a process of its own (``python -m sandbox``) that nothing else imports, and it imports nothing of the
service: it is written from Stripe's published API, so that a mistake on one side is not repeated on the other.
docs/adr/0008-stripe-sandbox.md says what it simulates, what it refuses, and why it exists.
"""

API_VERSION = "2026-08-26.dahlia"
"""The one API version spoken here; it is also the version of the published specification requests are held to."""
