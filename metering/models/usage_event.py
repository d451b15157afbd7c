from django.db import models
from django.db.models import Q


class UsageEvent(models.Model):
    """An immutable fact: an action happened, with its tokens, its charge and its cost as stamped then.

    Unique by (customer, key) for good; the key's digest is stored beside its text because 128-bit
    keys insert a fifth faster. Foreign keys are left to the writer: the row is the hot path's.
    `charged_microcredits` is null when no rate matched (unrated), `cost_nanousd` when no cost was
    known (unpriced): never zero by assumption. The row is never updated (trigger
    ``usage_event_is_append_only``); re-rating appends adjustments beside it.
    """

    pk = models.CompositePrimaryKey("customer_id", "key_digest")
    customer_id = models.BigIntegerField()
    key_digest = models.UUIDField()
    key = models.TextField()
    body_digest = models.UUIDField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    feature_id = models.BigIntegerField()
    action = models.TextField(default="", blank=True)
    user_key = models.TextField(default="", blank=True)
    run_key = models.TextField(default="", blank=True)
    tags = models.JSONField(null=True, blank=True)

    provider = models.TextField(default="", blank=True)
    model = models.TextField(
        default="", blank=True, help_text="The catalogue's key, or the reported id where it has none."
    )
    reported_model = models.TextField(default="", blank=True)
    processing = models.TextField(default="", blank=True)
    region = models.TextField(default="", blank=True)
    memoised = models.BooleanField(default=False, help_text="Answered from a cache of our own: no model was called.")

    input_tokens = models.IntegerField(default=0)
    cache_read_tokens = models.IntegerField(default=0)
    cache_write_5m_tokens = models.IntegerField(default=0)
    cache_write_1h_tokens = models.IntegerField(default=0)
    output_tokens = models.IntegerField(default=0)
    reasoning_tokens = models.IntegerField(default=0)
    other_usage = models.JSONField(null=True, blank=True)

    plan_version_id = models.BigIntegerField(default=0)
    rate_id = models.BigIntegerField(null=True, blank=True)
    charged_microcredits = models.BigIntegerField(null=True, blank=True)
    cost_nanousd = models.BigIntegerField(null=True, blank=True, help_text="Reported by the provider, else computed.")
    computed_cost_nanousd = models.BigIntegerField(null=True, blank=True)
    reported_cost_nanousd = models.BigIntegerField(null=True, blank=True)
    cost_card = models.TextField(default="", blank=True)
    hold_id = models.UUIDField(null=True, blank=True)

    class Meta:
        db_table = "usage_event"
        indexes = [
            models.Index(fields=["customer_id", "occurred_at"], name="usage_event_by_time"),
            # Of a run's calls, in their order; calls outside of runs, most of them, cost it nothing.
            models.Index(
                fields=["customer_id", "run_key", "occurred_at"], condition=~Q(run_key=""), name="usage_event_by_run"
            ),
            models.Index(
                fields=["customer_id", "occurred_at"], condition=Q(cost_nanousd=None), name="usage_event_unpriced"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(charged_microcredits=None) | Q(charged_microcredits__gte=0),
                name="usage_event_charge_is_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class UsageTombstone(models.Model):
    """What stays of an event that has left for the archive: enough to know its key again."""

    pk = models.CompositePrimaryKey("customer_id", "key_digest")
    customer_id = models.BigIntegerField()
    key_digest = models.UUIDField()
    body_digest = models.UUIDField()
    charged_microcredits = models.BigIntegerField(null=True)
    cost_nanousd = models.BigIntegerField(null=True)
    archived_at = models.DateTimeField()

    class Meta:
        db_table = "usage_tombstone"

    def __str__(self) -> str:
        return str(self.key_digest)
