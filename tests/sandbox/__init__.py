"""The Stripe sandbox, driven by Stripe's own SDK over real HTTP."""
