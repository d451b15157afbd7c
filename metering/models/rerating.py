from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Rerating(models.Model):
    """One correction of what past usage cost us: its scope, why, by whom, how far it came, and what it moved.

    One is in progress at a time (`in_progress` is true or null, and unique). What it moved are its
    `CostAdjustment` rows; the sums here move in the transactions that write them.
    """

    class State(models.TextChoices):
        APPLYING = "applying", "Applying"
        APPLIED = "applied", "Applied"
        UNDOING = "undoing", "Undoing"
        UNDONE = "undone", "Undone"

    reason = models.TextField()
    author = models.CharField(max_length=150)
    state = models.CharField(max_length=10, choices=State.choices, default=State.APPLYING)
    in_progress = models.BooleanField(null=True, default=True, unique=True, editable=False)
    starts_on = models.DateField(help_text="First UTC day.")
    ends_on = models.DateField(help_text="The UTC day before which to stop.")
    customer_id = models.BigIntegerField(null=True, blank=True, help_text="Empty: every customer.")
    model = models.TextField(blank=True, help_text="A model's key or reported id. Empty: every model.")
    unpriced_only = models.BooleanField(default=False)
    cards = ArrayField(models.BigIntegerField(), help_text="The published cost cards it prices by, above list prices.")
    list_prices = models.TextField(help_text="The pinned release of the list prices.")

    created_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undo_reason = models.TextField(blank=True)
    undone_by = models.CharField(max_length=150, blank=True)

    cursor_customer_id = models.BigIntegerField(default=0, editable=False)
    cursor_at = models.DateTimeField(null=True, editable=False)
    cursor_digest = models.UUIDField(null=True, editable=False)

    examined_calls = models.BigIntegerField(default=0)
    moved_calls = models.BigIntegerField(default=0)
    priced_calls = models.BigIntegerField(default=0, help_text="Calls that had no cost before.")
    delta_nanousd = models.BigIntegerField(default=0)

    class Meta:
        db_table = "rerating"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason="") & ~Q(author=""), name="rerating_says_why_and_by_whom"),
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="rerating_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(state__in=["applying", "undoing"], in_progress=True)
                | Q(state__in=["applied", "undone"], in_progress=None),
                name="rerating_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["applying", "applied"]) | (~Q(undo_reason="") & ~Q(undone_by="")),
                name="rerating_undo_says_why_and_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return f"re-rating {self.pk}"


class CostAdjustment(models.Model):
    """What a re-rating moved of one event's cost, beside the event, which keeps its stamps. Append-only.

    An event's cost now is its stamp plus the sum of its adjustments; an undo writes the same row negated.
    Where the event was counted is kept here too, so that rollups can be recounted after it was archived.
    """

    pk = models.CompositePrimaryKey("customer_id", "key_digest", "rerating_id", "undo")
    customer_id = models.BigIntegerField()
    key_digest = models.UUIDField()
    rerating = models.ForeignKey(Rerating, on_delete=models.PROTECT, related_name="adjustments", db_index=False)
    undo = models.BooleanField()
    occurred_at = models.DateTimeField()
    plan_version_id = models.BigIntegerField()
    feature_id = models.BigIntegerField()
    model = models.TextField()
    user_key = models.TextField()
    delta_nanousd = models.BigIntegerField()
    delta_computed_nanousd = models.BigIntegerField(help_text="Of our own figure, where the provider reported one too.")
    priced = models.SmallIntegerField(help_text="1: the event had no cost before; −1: it has none again.")
    cost_card = models.TextField(help_text="The card the new figure is by.")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "cost_adjustment"
        indexes = [
            models.Index(fields=["rerating", "customer_id", "key_digest"], name="cost_adjustment_by_rerating"),
            models.Index(fields=["customer_id", "occurred_at"], name="cost_adjustment_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(undo=False, priced__in=[0, 1]) | Q(undo=True, priced__in=[0, -1]),
                name="cost_adjustment_prices_once",
            ),
            models.CheckConstraint(
                condition=~Q(delta_nanousd=0) | ~Q(delta_computed_nanousd=0) | ~Q(priced=0),
                name="cost_adjustment_moves_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key_digest} by {self.rerating_id}"
