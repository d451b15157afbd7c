"""One number that moves whenever something processes keep in memory changes."""

from django.db import models
from django.db.models import Q


class CacheRevision(models.Model):
    """The revision of everything cached in process: keys, plans, rates, models, cost cards.

    Triggers raise it in the transaction of the change, so a reader that sees the new number sees
    the new data, and a published price or a revoked key acts in every process from its commit on.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    revision = models.BigIntegerField(default=1)

    class Meta:
        db_table = "cache_revision"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="cache_revision_is_one_row")]

    def __str__(self) -> str:
        return f"revision {self.revision}"
