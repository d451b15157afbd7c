from django.db import models
from django.db.models import Q


class StripeEvent(models.Model):
    """That something happened to an object at Stripe, by webhook or found by the sweep. Never what: that is fetched."""

    id = models.TextField(primary_key=True)
    type = models.TextField()
    object_type = models.TextField(help_text="payment_intent, checkout.session, invoice …")
    object_id = models.TextField()
    api_created = models.DateTimeField(help_text="When Stripe says it happened.")
    received_at = models.DateTimeField()
    swept = models.BooleanField(default=False, help_text="Found by the sweep: its webhook had not come.")
    next_try_at = models.DateTimeField(null=True, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        db_table = "stripe_event"
        ordering = ["-received_at", "-id"]
        verbose_name = "Stripe event"
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(processed_at=None), name="stripe_event_waiting"),
            models.Index(fields=["object_id"], name="stripe_event_by_object"),
            models.Index(fields=["-received_at"], name="stripe_event_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(processed_at=None, next_try_at__isnull=False)
                | Q(processed_at__isnull=False, next_try_at=None, error=""),
                name="stripe_event_waits_or_is_done",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.object_id}"


class StripeSweep(models.Model):
    """Up to when Stripe's list of events has been read. One row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    swept_until = models.DateTimeField()

    class Meta:
        db_table = "stripe_sweep"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="stripe_sweep_is_one_row")]

    def __str__(self) -> str:
        return f"swept until {self.swept_until}"
