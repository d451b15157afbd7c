from typing import ClassVar

from django.db import models
from django.db.models import Q
from djmoney.models.fields import MoneyField

from plans.models import PlanVersion


class StripePrice(models.Model):
    """What a published plan version is called at Stripe. The row comes first, the price after it; neither changes."""

    plan_version = models.OneToOneField(
        PlanVersion, on_delete=models.PROTECT, primary_key=True, related_name="stripe_price"
    )
    product_id = models.TextField(help_text="One for all versions of a plan; we choose its id.")
    lookup_key = models.TextField(unique=True, help_text="The name we give the price at Stripe.")
    price_id = models.TextField(unique=True, null=True, blank=True)
    amount = MoneyField(max_digits=14, decimal_places=3, default_currency="USD")
    interval = models.CharField(max_length=8)
    created_at = models.DateTimeField()

    # Said here because djmoney's patched manager hides its type from the checker.
    objects: ClassVar["models.Manager[StripePrice]"] = models.Manager()

    class Meta:
        db_table = "stripe_price"
        verbose_name = "Stripe price"
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="stripe_price_is_not_negative")]

    def __str__(self) -> str:
        return self.lookup_key
