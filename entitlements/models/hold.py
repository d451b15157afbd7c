from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Hold(models.Model):
    """Credits set aside before a call, until settled, voided or expired. `id` is the digest of the caller's key.

    The first answer, for whoever asks again with the key, is the decision's of the same id.
    """

    class Status(models.IntegerChoices):
        OPEN = 1, "open"
        SETTLED = 2, "settled"
        VOIDED = 3, "voided"
        EXPIRED = 4, "expired"

    pk = models.CompositePrimaryKey("customer_id", "id")
    customer_id = models.BigIntegerField()
    id = models.UUIDField()
    key = models.TextField()
    body_digest = models.UUIDField()
    status = models.SmallIntegerField(choices=Status.choices, default=Status.OPEN)
    held_microcredits = models.BigIntegerField()
    settled_microcredits = models.BigIntegerField(default=0)
    steps = models.SmallIntegerField(default=1, help_text="Steps it holds in its runs: one, or none for a lease.")
    feature_id = models.BigIntegerField()
    model = models.TextField(default="")
    user_key = models.TextField(default="")
    run_id = models.UUIDField(null=True)
    runs = ArrayField(models.UUIDField(), default=list, help_text="The run and its parents, which it counts in.")
    claims = models.JSONField(
        default=list, help_text="What it holds in limit counters: [scope key, limit key, amount]."
    )
    is_lease = models.BooleanField(default=False, help_text="Settled many times by one SDK process.")
    placed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "hold"
        indexes = [
            models.Index(fields=["customer_id", "expires_at"], condition=Q(closed_at=None), name="hold_open"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(held_microcredits__gte=0, settled_microcredits__gte=0), name="hold_amounts_are_not_negative"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("placed_at")), name="hold_expires_after_it_is_placed"),
        ]

    def __str__(self) -> str:
        return self.key
