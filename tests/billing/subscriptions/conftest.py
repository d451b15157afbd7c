"""Stories of plans at Stripe have a shop of their own."""

from tests.billing.stripe_shop import shop

__all__ = ["shop"]
