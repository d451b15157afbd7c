from typing import ClassVar

from django.db import models
from django.db.models import Q
from djmoney.models.fields import MoneyField

from entitlements.models import Customer
from plans.models import TopUpPack


class AutoTopUp(models.Model):
    """A customer's standing order: when available falls below the threshold, buy, up to so much a month."""

    class Paused(models.TextChoices):
        DECLINED = "declined", "The card was declined"
        NEEDS_ACTION = "needs_action", "The customer must act"
        NO_CARD = "no_card", "There is no card to charge"
        REFUSED = "refused", "Stripe refuses the charge"
        DISPUTED = "disputed", "A payment is disputed"
        CUSTOMER_DELETED = "customer_deleted", "The customer was deleted at Stripe"

    OVER_WHEN_PAID = (Paused.DECLINED, Paused.NEEDS_ACTION, Paused.NO_CARD, Paused.CUSTOMER_DELETED)

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, primary_key=True, related_name="auto_top_up")
    enabled = models.BooleanField(default=True)
    threshold_microcredits = models.BigIntegerField()
    pack = models.ForeignKey(TopUpPack, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    microcredits = models.BigIntegerField(null=True, blank=True, help_text="A custom amount in place of a pack.")
    monthly_cap = MoneyField(
        max_digits=14, decimal_places=3, default_currency="USD", null=True, blank=True,
        help_text="Per calendar month in UTC, before tax; empty is no cap.",
    )  # fmt: skip
    paused_reason = models.CharField(
        max_length=16, choices=Paused.choices, blank=True, help_text="Why it rests until it is set anew."
    )
    failures = models.PositiveSmallIntegerField(default=0, help_text="Orders that failed since the last that was paid.")
    next_try_at = models.DateTimeField(null=True, blank=True, help_text="Not before.")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    # Said here because djmoney's patched manager hides its type from the checker.
    objects: ClassVar["models.Manager[AutoTopUp]"] = models.Manager()

    class Meta:
        db_table = "auto_top_up"
        verbose_name = "auto top-up"
        constraints = [
            models.CheckConstraint(condition=Q(threshold_microcredits__gte=0), name="auto_top_up_threshold_is_sane"),
            models.CheckConstraint(
                condition=Q(pack__isnull=False, microcredits=None) | Q(pack=None, microcredits__gt=0),
                name="auto_top_up_buys_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(monthly_cap=None) | Q(monthly_cap__gt=0), name="auto_top_up_cap_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"auto top-up of {self.customer}"
