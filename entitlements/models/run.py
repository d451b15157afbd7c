from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Run(models.Model):
    """One agent execution, possibly inside another, with its own budget. What it spends counts in all its parents."""

    class Status(models.IntegerChoices):
        OPEN = 1, "open"
        CLOSED = 2, "closed"

    pk = models.CompositePrimaryKey("customer_id", "id")
    customer_id = models.BigIntegerField()
    id = models.UUIDField()
    key_digest = models.UUIDField()
    key = models.TextField()
    body_digest = models.UUIDField()
    ancestors = ArrayField(models.UUIDField(), default=list, help_text="From the outermost run to the parent.")
    status = models.SmallIntegerField(choices=Status.choices, default=Status.OPEN)
    user_key = models.TextField(default="")
    max_steps = models.BigIntegerField(null=True)
    max_microcredits = models.BigIntegerField(null=True)
    max_cost_nanousd = models.BigIntegerField(null=True)
    max_depth = models.SmallIntegerField(null=True, help_text="How many levels of runs may lie inside this one.")
    deadline = models.DateTimeField(null=True)
    steps = models.BigIntegerField(default=0)
    held_steps = models.BigIntegerField(default=0)
    charged_microcredits = models.BigIntegerField(default=0)
    held_microcredits = models.BigIntegerField(default=0)
    cost_nanousd = models.BigIntegerField(default=0)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "run"
        indexes = [
            models.Index(fields=["customer_id"], condition=Q(closed_at=None), name="run_open"),
            models.Index(fields=["customer_id", "opened_at"], name="run_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["customer_id", "key_digest"], name="run_key_is_unique"),
            models.CheckConstraint(
                condition=Q(steps__gte=0, held_steps__gte=0, charged_microcredits__gte=0, held_microcredits__gte=0),
                name="run_counts_are_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.key
