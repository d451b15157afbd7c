import uuid

from django.db import models
from django.db.models import Q

from entitlements.models import Customer


class StripeCustomer(models.Model):
    """Who a customer is at Stripe.

    The row comes first and the Stripe customer after it, under `creation_id` as its idempotency key. One that was
    deleted at Stripe is replaced by another at the next purchase: Stripe never revives an id.
    """

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, primary_key=True, related_name="stripe")
    creation_id = models.UUIDField(default=uuid.uuid4, editable=False)
    stripe_id = models.TextField(unique=True, null=True, blank=True)
    default_payment_method = models.TextField(blank=True, help_text="Charged while the customer is away.")
    deleted_at = models.DateTimeField(null=True, blank=True)
    raw = models.JSONField(default=dict, help_text="The customer as Stripe last showed it.")
    fetched_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "stripe_customer"
        verbose_name = "Stripe customer"
        constraints = [
            models.CheckConstraint(
                condition=Q(deleted_at=None) | Q(default_payment_method=""), name="stripe_customer_deleted_has_no_card"
            ),
            models.CheckConstraint(
                condition=Q(stripe_id__isnull=False) | Q(default_payment_method="", deleted_at=None),
                name="stripe_customer_unborn_has_nothing",
            ),
        ]

    def __str__(self) -> str:
        return self.stripe_id or f"not yet: {self.customer}"
