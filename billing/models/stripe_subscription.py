import uuid

from django.db import models
from django.db.models import F, Q

from entitlements.models import Customer, Subscription
from plans.models import PlanVersion


class SubscriptionOrder(models.Model):
    """A subscription somebody wants to begin at Stripe, from before Stripe is asked until it began or came to nothing.

    What Stripe is told, and the idempotency key, derive from this row, so whoever finds it may carry on.
    """

    class Origin(models.TextChoices):
        CHECKOUT = "checkout", "Checkout"
        CARD = "card", "Saved card"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Begun"
        FAILED = "failed", "Failed"
        EXPIRED = "expired", "Expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscription_orders")
    key = models.TextField()
    key_digest = models.UUIDField()
    body_digest = models.UUIDField()
    origin = models.CharField(max_length=8, choices=Origin.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+")
    trial_days = models.PositiveSmallIntegerField(default=0)
    success_url = models.TextField(blank=True)
    cancel_url = models.TextField(blank=True)
    asked = models.JSONField(default=dict, help_text="What Stripe is asked for, as it is sent: a retry sends the same.")
    checkout_session_id = models.TextField(unique=True, null=True, blank=True)
    stripe_subscription_id = models.TextField(unique=True, null=True, blank=True)
    url = models.TextField(blank=True, help_text="Where the customer pays.")
    failure_code = models.TextField(blank=True)
    failure = models.TextField(blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "subscription_order"
        ordering = ["-created_at", "-id"]
        verbose_name = "subscription order"
        constraints = [
            models.UniqueConstraint(fields=["customer", "key_digest"], name="subscription_order_key_is_unique"),
            models.UniqueConstraint(
                fields=["customer"], condition=Q(state="open"), name="customer_orders_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at=None) | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="subscription_order_state_is_dated",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(stripe_subscription_id__isnull=False),
                name="subscription_order_done_has_begun",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_version} for {self.customer}"


class StripeSubscription(models.Model):
    """A subscription as Stripe last showed it, and which of ours it keeps.

    The local timeline renews allowances at Stripe's anchor by itself; this row says whether it may (docs/adr/0011).
    """

    ENDED = ("canceled", "incomplete_expired")
    SERVED = ("trialing", "active", "past_due", "unpaid")
    """Statuses in which the customer is on the plan. Incomplete has not begun; paused gets nothing."""
    OVERDUE = ("past_due", "unpaid")

    id = models.TextField(primary_key=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="stripe_subscriptions")
    stripe_customer = models.TextField()
    plan_version = models.ForeignKey(
        PlanVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="What Stripe charges for; empty when its price is none of ours.",
    )  # fmt: skip
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="What it keeps the customer on here.",
    )  # fmt: skip
    item_id = models.TextField(help_text="The subscription item that is the plan.")
    status = models.TextField()
    anchor = models.DateTimeField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    trial_end = models.DateTimeField(null=True, blank=True)
    cancel_at = models.DateTimeField(null=True, blank=True)
    cancel_at_period_end = models.BooleanField(default=False)
    overdue_since = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    surplus = models.BooleanField(default=False, help_text="A second one of the same customer: nothing comes of it.")
    pending_version = models.ForeignKey(
        PlanVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Stripe will renew at this one; the customer keeps the present plan until then.",
    )  # fmt: skip
    pending_at = models.DateTimeField(null=True, blank=True)
    latest_invoice = models.TextField(blank=True)
    raw = models.JSONField(default=dict)
    fetched_at = models.DateTimeField()

    class Meta:
        db_table = "stripe_subscription"
        ordering = ["-period_start", "id"]
        verbose_name = "Stripe subscription"
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(ended_at=None, surplus=False),
                name="customer_has_one_stripe_subscription",
            ),
            models.CheckConstraint(
                condition=Q(period_end__gt=F("period_start")), name="stripe_subscription_period_has_length"
            ),
            models.CheckConstraint(
                condition=Q(pending_version=None, pending_at=None)
                | Q(pending_version__isnull=False, pending_at__isnull=False),
                name="stripe_subscription_pending_is_dated",
            ),
        ]

    def __str__(self) -> str:
        return self.id
