from django.db import models
from django.db.models import Q


class OutboxMessage(models.Model):
    """Something to tell the outside, written in the transaction that made it true and sent afterwards.

    `key` makes telling it twice impossible: one threshold, one window, one message.
    """

    customer_id = models.BigIntegerField()
    key = models.TextField()
    kind = models.TextField(help_text="limit.threshold, balance.low …")
    payload = models.JSONField()
    created_at = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "outbox_message"
        indexes = [models.Index(fields=["id"], condition=Q(dispatched_at=None), name="outbox_message_waiting")]
        constraints = [models.UniqueConstraint(fields=["customer_id", "key"], name="outbox_message_key_is_unique")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
