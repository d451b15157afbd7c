import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from billing.models.top_up_order import TopUpOrder
from entitlements.models import Customer


class Payment(models.Model):
    """A top-up's payment as Stripe last showed it: the intent, its charge, its refunds and disputes."""

    id = models.TextField(primary_key=True, help_text="The PaymentIntent.")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payments")
    order = models.ForeignKey(TopUpOrder, on_delete=models.PROTECT, related_name="payments")
    status = models.TextField()
    received = MoneyField(max_digits=14, decimal_places=3, default_currency="USD", help_text="With tax.")
    net = MoneyField(
        max_digits=14, decimal_places=3, default_currency="USD", null=True, blank=True, help_text="Without tax."
    )
    grant_id = models.UUIDField(null=True, blank=True)
    bonus_grant_id = models.UUIDField(null=True, blank=True)
    refunded = MoneyField(max_digits=14, decimal_places=3, default_currency="USD")
    disputed = MoneyField(max_digits=14, decimal_places=3, default_currency="USD", help_text="Open or lost.")
    fee = MoneyField(
        max_digits=14, decimal_places=3, default_currency="USD", null=True, blank=True,
        help_text="What Stripe kept of the charge, in the currency it settles in.",
    )  # fmt: skip
    raw = models.JSONField(default=dict)
    fetched_at = models.DateTimeField()

    # Said here because djmoney's patched manager hides its type from the checker.
    objects: ClassVar["models.Manager[Payment]"] = models.Manager()

    class Meta:
        db_table = "payment"
        ordering = ["-fetched_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(received__gte=0, refunded__gte=0, disputed__gte=0), name="payment_amounts_are_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(grant_id=None, bonus_grant_id=None)
                | Q(net__isnull=False, net_currency=F("received_currency")),
                name="payment_granted_has_a_price",
            ),
            models.CheckConstraint(
                condition=Q(refunded_currency=F("received_currency"), disputed_currency=F("received_currency")),
                name="payment_has_one_currency",
            ),
        ]

    def __str__(self) -> str:
        return self.id


class Reversal(models.Model):
    """What one refund or dispute did to the credits of one grant, once.

    `amount` is the money, without tax, as it moved for us: negative when it went back, positive when it returned.
    Microcredits are how much of the grant was taken back, or given back: what was still there to burn, and what had
    been burned and became debt. `source_id` names the refund or dispute at Stripe.
    """

    class Kind(models.TextChoices):
        REFUND = "refund", "Refund"
        REFUND_FAILED = "refund_failed", "Refund failed"
        DISPUTE = "dispute", "Dispute"
        DISPUTE_WON = "dispute_won", "Dispute won"

    TAKES = (Kind.REFUND, Kind.DISPUTE)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="reversals")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="reversals")
    grant_id = models.UUIDField()
    source_id = models.TextField()
    kind = models.CharField(max_length=13, choices=Kind.choices)
    amount = MoneyField(max_digits=14, decimal_places=3, default_currency="USD")
    unburned_microcredits = models.BigIntegerField()
    burned_microcredits = models.BigIntegerField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    # Said here because djmoney's patched manager hides its type from the checker.
    objects: ClassVar["models.Manager[Reversal]"] = models.Manager()

    class Meta:
        db_table = "reversal"
        ordering = ["-occurred_at", "-id"]
        indexes = [models.Index(fields=["customer", "occurred_at"], name="reversal_by_time")]
        constraints = [
            models.UniqueConstraint(fields=["source_id", "kind", "grant_id"], name="reversal_happens_once"),
            models.CheckConstraint(
                condition=Q(unburned_microcredits__gte=0, burned_microcredits__gte=0),
                name="reversal_credits_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=("refund", "dispute"), amount__lte=0)
                | Q(kind__in=("refund_failed", "dispute_won"), amount__gte=0),
                name="reversal_sign_follows_its_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source_id}"
