from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from entitlements.core.words import Bucket, EntryKind


class Balance(models.Model):
    """The one row per customer every spend locks: what the ledger sums to, and until when it is valid.

    available = posted − held − debt. Nothing may be decided on the row at or after `valid_until`
    (the next expiry, activation or renewal) before the account has been brought up to date, so
    expiry and renewal are exact without a cron. `plan_version_id`, `anchor` and the periods are the
    open subscription's, kept here so that one row decides.
    """

    customer_id = models.BigIntegerField(primary_key=True)
    posted_microcredits = models.BigIntegerField(default=0)
    held_microcredits = models.BigIntegerField(default=0)
    debt_microcredits = models.BigIntegerField(default=0)
    overage_microcredits = models.BigIntegerField(
        default=0, help_text="Of this billing period, not yet paid or invoiced."
    )
    ledger_seq = models.BigIntegerField(default=0)
    valid_until = models.DateTimeField(null=True, help_text="Null: nothing is going to happen by itself.")
    subscription_id = models.BigIntegerField(null=True)
    plan_version_id = models.BigIntegerField(null=True)
    anchor = models.DateTimeField(null=True)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    allowance_end = models.DateTimeField(null=True, help_text="When the next allowance is due.")
    holds_until = models.DateTimeField(null=True, help_text="No open hold expires before this.")
    overage_billed_microcredits = models.BigIntegerField(
        db_default=0, help_text="Of this billing period, already owed in money: it counts against the spend cap."
    )
    overdue_since = models.DateTimeField(
        null=True, help_text="A payment is overdue since then; the plan's grace policy says what follows."
    )
    low_below_microcredits = models.BigIntegerField(
        null=True, help_text="Say so once when available falls below this; null never does."
    )
    low_since = models.DateTimeField(null=True, help_text="Available has been below it since then.")
    spend_cap_microcredits = models.BigIntegerField(
        null=True, help_text="The customer's own bound on a period's overage; the plan's holds beside it."
    )

    class Meta:
        db_table = "balance"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    posted_microcredits__gte=0,
                    held_microcredits__gte=0,
                    debt_microcredits__gte=0,
                    overage_microcredits__gte=0,
                ),
                name="balance_parts_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(held_microcredits__lte=F("posted_microcredits")), name="balance_held_is_covered"
            ),
            models.CheckConstraint(
                condition=Q(overage_billed_microcredits__gte=0), name="balance_overage_billed_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(low_since=None) | Q(low_below_microcredits__isnull=False),
                name="balance_low_is_below_something",
            ),
            models.CheckConstraint(
                condition=Q(spend_cap_microcredits=None) | Q(spend_cap_microcredits__gte=0),
                name="balance_spend_cap_is_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"balance of {self.customer_id}"


class CreditGrant(models.Model):
    """Credits with a source, priority, dates, and what was paid for them.

    `remaining_microcredits` is what is left to burn. An open grant (`closed_at` null) may still
    burn or is waiting to become effective; only open ones are ever loaded, so an account does not
    slow down as its history grows.
    """

    class Source(models.TextChoices):
        ALLOWANCE = "allowance", "Allowance"
        ROLLOVER = "rollover", "Rolled-over allowance"
        TOP_UP = "top_up", "Top-up"
        PROMO = "promo", "Promotion"
        ADJUSTMENT = "adjustment", "Adjustment"

    pk = models.CompositePrimaryKey("customer_id", "id")
    customer_id = models.BigIntegerField()
    id = models.UUIDField()
    key_digest = models.UUIDField()
    key = models.TextField()
    body_digest = models.UUIDField()
    source = models.CharField(max_length=10, choices=Source.choices)
    priority = models.SmallIntegerField()
    amount_microcredits = models.BigIntegerField()
    remaining_microcredits = models.BigIntegerField()
    effective_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    paid = MoneyField(max_digits=14, decimal_places=3, default_currency="USD", default=0)
    subscription_id = models.BigIntegerField(null=True, blank=True)
    reason = models.TextField(default="", blank=True)
    actor = models.TextField(default="", blank=True)

    # Said here because djmoney's patched manager hides its type from the checker.
    objects: ClassVar["models.Manager[CreditGrant]"] = models.Manager()

    class Meta:
        db_table = "credit_grant"
        indexes = [
            models.Index(fields=["customer_id"], condition=Q(closed_at=None), name="credit_grant_open"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["customer_id", "key_digest"], name="credit_grant_key_is_unique"),
            models.CheckConstraint(
                condition=Q(remaining_microcredits__gte=0, remaining_microcredits__lte=F("amount_microcredits")),
                name="credit_grant_remaining_is_covered",
            ),
            models.CheckConstraint(condition=Q(amount_microcredits__gt=0), name="credit_grant_amount_is_positive"),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("effective_at")),
                name="credit_grant_expires_after_it_starts",
            ),
            models.CheckConstraint(condition=Q(paid__gte=0), name="credit_grant_paid_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.key}"


class LedgerEntry(models.Model):
    """An immutable signed movement of credits; corrections are new entries (trigger ``ledger_is_append_only``).

    `seq` counts the customer's entries without gaps, in the order the balance row was locked. The
    sum over all buckets is posted − debt − overage.
    """

    pk = models.CompositePrimaryKey("customer_id", "seq")
    customer_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    recorded_at = models.DateTimeField(help_text="When we wrote it.")
    effective_at = models.DateTimeField(help_text="When it counts from: an expiry's own instant, a usage's event time.")
    kind = models.SmallIntegerField(choices=[(kind.value, kind.name.lower()) for kind in EntryKind])
    bucket = models.SmallIntegerField(choices=[(bucket.value, bucket.name.lower()) for bucket in Bucket])
    amount_microcredits = models.BigIntegerField()
    grant_id = models.UUIDField(null=True)
    event_digest = models.UUIDField(null=True, help_text="The usage event's key_digest.")

    class Meta:
        db_table = "ledger_entry"
        indexes = [
            models.Index(fields=["customer_id", "effective_at"], name="ledger_entry_by_time"),
            models.Index(
                fields=["customer_id", "seq"],
                condition=Q(kind=EntryKind.OVERAGE_BILLED.value),
                name="ledger_entry_overage_billed",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(amount_microcredits=0), name="ledger_entry_moves_something"),
            models.CheckConstraint(
                condition=Q(bucket=Bucket.POSTED.value, grant_id__isnull=False) | ~Q(bucket=Bucket.POSTED.value),
                name="ledger_entry_names_its_grant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}/{self.seq}"
