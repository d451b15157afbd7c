from django.db import models
from django.db.models import Q


class LimitCounter(models.Model):
    """How far a limit is used in its current window. Moves in the transaction of the hold or the usage.

    One row per limit and scope, not per window: a new window starts it over. What is held stays
    across windows, since an open hold will be used in whichever window it is settled.
    """

    pk = models.CompositePrimaryKey("customer_id", "scope_key", "limit_key")
    customer_id = models.BigIntegerField()
    scope_key = models.TextField(help_text="Empty for the customer, user:KEY, or run:ID.")
    limit_key = models.TextField()
    window_start = models.DateTimeField()
    used = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    warned_percent = models.SmallIntegerField(default=0, help_text="The highest threshold told in this window.")

    class Meta:
        db_table = "limit_counter"
        constraints = [
            models.CheckConstraint(condition=Q(used__gte=0, held__gte=0), name="limit_counter_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.limit_key} {self.scope_key}"
