from django.db import models
from django.db.models import Q

from margins.recognition import LEDGER_KINDS


class RevenueDay(models.Model):
    """What a customer's ledger earned on a UTC day, by whose usage and of which kind: the rollup of the ledger.

    Nano-units of `currency`. Added up from the ledger, each entry once (`RevenueMark`); 0 and "" are none, and with
    them the amount is shared out by the day's usage when a report is cut by feature, model or user. Subscriptions
    earn by time and need no rollup. `restated_nano` is what of the amount was recorded after the day was over, and
    `restated_at` when that last happened.
    """

    pk = models.CompositePrimaryKey(
        "customer_id", "day", "plan_version_id", "feature_id", "model", "user_key", "kind", "currency"
    )
    customer_id = models.BigIntegerField()
    day = models.DateField()
    plan_version_id = models.BigIntegerField()
    feature_id = models.BigIntegerField()
    model = models.TextField()
    user_key = models.TextField()
    kind = models.TextField()
    currency = models.CharField(max_length=3)
    amount_nano = models.DecimalField(max_digits=38, decimal_places=0)
    restated_nano = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    restated_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "revenue_day"
        indexes = [
            models.Index(fields=["day"], name="revenue_day_by_day"),
            # What changed after the fact is rare, and asked for of everyone.
            models.Index(fields=["day"], condition=Q(restated_at__isnull=False), name="revenue_day_restated"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in LEDGER_KINDS]), name="revenue_day_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(restated_nano=0) | Q(restated_at__isnull=False), name="revenue_day_restatement_is_dated"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.day} {self.kind}"


class RevenueMonth(models.Model):
    """The same by calendar month (UTC, by its first day), by plan version alone: everyone's month in one small scan."""

    pk = models.CompositePrimaryKey("customer_id", "month", "plan_version_id", "kind", "currency")
    customer_id = models.BigIntegerField()
    month = models.DateField()
    plan_version_id = models.BigIntegerField()
    kind = models.TextField()
    currency = models.CharField(max_length=3)
    amount_nano = models.DecimalField(max_digits=38, decimal_places=0)

    class Meta:
        db_table = "revenue_month"
        indexes = [models.Index(fields=["month"], name="revenue_month_by_month")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.month} {self.kind}"


class RevenueMark(models.Model):
    """How far a customer's ledger has been added up: every entry up to `seq` is in the rollups, none after it.

    The row is locked by whoever adds on, and moves in the same transaction as the rollups, so each entry counts once.
    """

    customer_id = models.BigIntegerField(primary_key=True)
    seq = models.BigIntegerField(default=0)

    class Meta:
        db_table = "revenue_mark"

    def __str__(self) -> str:
        return f"{self.customer_id} up to {self.seq}"


class ArchivedPlace(models.Model):
    """Whose usage an archived event was: what its ledger entries' revenue belongs to.

    Kept by the trigger ``usage_event_leaves_its_place`` in the transaction that archives the event, for events that
    earned something of their own, so that a recount stays exact.
    """

    pk = models.CompositePrimaryKey("customer_id", "key_digest")
    customer_id = models.BigIntegerField()
    key_digest = models.UUIDField()
    plan_version_id = models.BigIntegerField()
    feature_id = models.BigIntegerField()
    model = models.TextField()
    user_key = models.TextField()

    class Meta:
        db_table = "archived_place"

    def __str__(self) -> str:
        return str(self.key_digest)
