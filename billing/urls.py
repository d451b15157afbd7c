"""What Stripe calls."""

from django.urls import path

from billing.webhook import stripe_webhook

urlpatterns = [path("webhooks/stripe", stripe_webhook)]
