from django.db import models
from django.db.models import F, Q

from plans.models import Feature, ModelTier, PlanEntitlement, PlanVersion


class Customer(models.Model):
    """The party that holds a balance. `key` is the product's own id for it."""

    key = models.CharField(max_length=128, unique=True)
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    currency = models.CharField(max_length=3, default="USD")
    time_zone = models.CharField(max_length=64, default="UTC", help_text="IANA name; day windows of limits follow it.")
    tags = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "customer"
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


class Subscription(models.Model):
    """A customer on a plan version over [started_at, ended_at). Periods are counted from the anchor."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions")
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="subscriptions")
    anchor = models.DateTimeField(help_text="Billing periods start at this day and time of the month or year.")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "subscription"
        ordering = ["customer", "-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=Q(ended_at=None), name="customer_has_one_open_subscription"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")), name="subscription_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer} on {self.plan_version}"


class Entitlement(models.Model):
    """A customer's own dated right to a feature, beside or above what the plan gives."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="entitlements")
    feature = models.ForeignKey(Feature, on_delete=models.PROTECT, related_name="+")
    allowed = models.BooleanField(default=True, help_text="Off takes the feature away although the plan has it.")
    max_tier = models.ForeignKey(ModelTier, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    at_limit = models.CharField(
        max_length=10, choices=PlanEntitlement.AtLimit.choices, default=PlanEntitlement.AtLimit.DENY
    )
    config = models.JSONField(null=True, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        db_table = "entitlement"
        ordering = ["customer", "feature", "-starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="entitlement_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer}: {self.feature}"
