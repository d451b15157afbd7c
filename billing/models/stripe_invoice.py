from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from entitlements.models import Customer


class StripeInvoice(models.Model):
    """A customer's invoice as Stripe last showed it. `status` is Stripe's, or ``deleted`` for a draft that is gone."""

    id = models.TextField(primary_key=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="stripe_invoices")
    number = models.TextField(blank=True)
    status = models.TextField()
    reason = models.TextField(blank=True, help_text="subscription_create, subscription_cycle, manual …")
    subscription_id = models.TextField(blank=True)
    total = MoneyField(
        max_digits=14, decimal_places=3, default_currency="USD", help_text="With tax; a credit is negative."
    )
    due = MoneyField(max_digits=14, decimal_places=3, default_currency="USD")
    paid = MoneyField(max_digits=14, decimal_places=3, default_currency="USD")
    tax = MoneyField(max_digits=14, decimal_places=3, default_currency="USD")
    hosted_url = models.TextField(blank=True)
    pdf = models.TextField(blank=True)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    created_at = models.DateTimeField()
    finalized_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    raw = models.JSONField(default=dict)
    fetched_at = models.DateTimeField()

    # Said here because djmoney's patched manager hides its type from the checker.
    objects: ClassVar["models.Manager[StripeInvoice]"] = models.Manager()

    class Meta:
        db_table = "stripe_invoice"
        ordering = ["-created_at", "-id"]
        verbose_name = "Stripe invoice"
        indexes = [models.Index(fields=["customer", "-created_at", "-id"], name="stripe_invoice_by_time")]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    due_currency=F("total_currency"),
                    paid_currency=F("total_currency"),
                    tax_currency=F("total_currency"),
                ),
                name="stripe_invoice_has_one_currency",
            ),
        ]

    def __str__(self) -> str:
        return self.number or self.id
