from django.db import models

from entitlements.models.fields import RecordField


class Decision(models.Model):
    """A hold, a downgrade or a denial with everything it was decided from, so that it can be decided again."""

    pk = models.CompositePrimaryKey("customer_id", "id")
    customer_id = models.BigIntegerField()
    id = models.UUIDField()
    decided_at = models.DateTimeField()
    decision = models.TextField()
    reason = models.TextField()
    revision = models.BigIntegerField(help_text="Of the catalogue it was decided on.")
    question = RecordField()
    account = RecordField(help_text="The account as it was loaded and brought up to date.")
    answer = RecordField()

    class Meta:
        db_table = "decision"
        indexes = [models.Index(fields=["customer_id", "decided_at"], name="decision_by_time")]

    def __str__(self) -> str:
        return f"{self.decision}: {self.reason}"
