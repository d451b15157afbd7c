import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from entitlements.models import Customer
from plans.models import TopUpPack


class TopUpOrder(models.Model):
    """Credits somebody wants to pay for, from before Stripe is asked until they are granted or it has come to nothing.

    Everything that Stripe is told, and every idempotency key, derives from this row, so whoever finds it may carry on
    where another process died.
    """

    class Origin(models.TextChoices):
        CHECKOUT = "checkout", "Checkout"
        AUTO = "auto", "Auto top-up"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        NEEDS_ACTION = "needs_action", "Needs action"
        PAID = "paid", "Paid"
        FAILED = "failed", "Failed"
        EXPIRED = "expired", "Expired"

    IN_FLIGHT = (State.OPEN, State.NEEDS_ACTION)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="top_up_orders")
    key = models.TextField()
    key_digest = models.UUIDField()
    body_digest = models.UUIDField()
    origin = models.CharField(max_length=8, choices=Origin.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)

    pack = models.ForeignKey(
        TopUpPack,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: a custom amount.",
    )
    packs = models.PositiveIntegerField(default=1, help_text="How many packs the one charge buys.")
    microcredits = models.BigIntegerField(help_text="What is paid for.")
    bonus_microcredits = models.BigIntegerField(default=0, help_text="On top, earning nothing when burned.")
    expires_after_days = models.PositiveIntegerField(null=True, blank=True)
    amount = MoneyField(max_digits=14, decimal_places=3, default_currency="USD", help_text="The price, before tax.")
    success_url = models.TextField(blank=True)
    cancel_url = models.TextField(blank=True)

    stripe_customer = models.TextField(blank=True, help_text="Whom Stripe was told to charge.")
    asked = models.JSONField(default=dict, help_text="What Stripe is asked for, as it is sent: a retry sends the same.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Questions put to Stripe, each with its own key.")
    next_try_at = models.DateTimeField(null=True, blank=True)
    checkout_session_id = models.TextField(unique=True, null=True, blank=True)
    payment_intent_id = models.TextField(unique=True, null=True, blank=True)
    url = models.TextField(blank=True, help_text="Where the customer pays.")

    paid = MoneyField(max_digits=14, decimal_places=3, default_currency="USD", null=True, blank=True)
    tax = MoneyField(max_digits=14, decimal_places=3, default_currency="USD", null=True, blank=True)
    grant_id = models.UUIDField(null=True, blank=True)
    bonus_grant_id = models.UUIDField(null=True, blank=True)
    invoice_url = models.TextField(blank=True)
    receipt_url = models.TextField(blank=True)
    failure_code = models.TextField(blank=True)
    failure = models.TextField(blank=True)

    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    # Said here because djmoney's patched manager hides its type from the checker.
    objects: ClassVar["models.Manager[TopUpOrder]"] = models.Manager()

    class Meta:
        db_table = "top_up_order"
        ordering = ["-created_at", "-id"]
        verbose_name = "top-up order"
        indexes = [
            models.Index(fields=["customer", "created_at"], name="top_up_order_by_time"),
            models.Index(fields=["next_try_at"], condition=Q(closed_at=None), name="top_up_order_in_flight"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["customer", "key_digest"], name="top_up_order_key_is_unique"),
            models.UniqueConstraint(
                fields=["customer"], condition=Q(origin="auto", closed_at=None), name="auto_top_up_has_one_in_flight"
            ),
            models.CheckConstraint(
                condition=Q(microcredits__gt=0, bonus_microcredits__gte=0, packs__gte=1, amount__gt=0),
                name="top_up_order_amounts_are_sane",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("open", "needs_action"), closed_at=None)
                | Q(state__in=("paid", "failed", "expired"), closed_at__isnull=False),
                name="top_up_order_state_is_dated",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="paid",
                    paid_at__isnull=False,
                    payment_intent_id__isnull=False,
                    grant_id__isnull=False,
                    paid__isnull=False,
                    tax__isnull=False,
                )
                | (~Q(state="paid") & Q(paid_at=None, grant_id=None, bonus_grant_id=None, paid=None, tax=None)),
                name="top_up_order_paid_is_granted",
            ),
            models.CheckConstraint(
                condition=Q(paid=None)
                | Q(paid_currency=F("amount_currency"), tax_currency=F("amount_currency"), paid__gte=0, tax__gte=0),
                name="top_up_order_has_one_currency",
            ),
            models.CheckConstraint(
                condition=~Q(state="needs_action") | ~Q(url=""), name="top_up_order_needing_action_says_where"
            ),
        ]

    def __str__(self) -> str:
        return f"top-up {self.key}"
