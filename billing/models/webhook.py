from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from entitlements.models import OutboxMessage
from kernel.ids import new_id

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - every secret has it
"""What Standard Webhooks has secrets begin with."""


class WebhookEndpoint(models.Model):
    """An address of the product's that is told what happens, and what it can tell that it was us by.

    Secrets are kept as they are, since every message is signed with them; they are shown once, when they are made.
    While a secret is rotated both sign, until `previous_until`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    url = models.CharField("URL", max_length=2000, help_text="Where messages are posted to: an https address.")
    description = models.CharField(max_length=200, blank=True)
    event_types = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="None chosen: everything, also what is new.",
    )
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True, help_text="Why we ended it, if we did.")
    secret = models.TextField(editable=False)
    previous_secret = models.TextField(blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False, help_text="Nothing arrived since then.")
    created_at = models.DateTimeField(editable=False)

    class Meta:
        db_table = "webhook_endpoint"
        ordering = ["created_at", "id"]
        verbose_name = "webhook endpoint"
        constraints = [
            models.CheckConstraint(condition=Q(secret__startswith=SECRET_PREFIX), name="webhook_endpoint_has_a_secret"),
            models.CheckConstraint(
                condition=Q(previous_secret="", previous_until=None)
                | Q(previous_secret__startswith=SECRET_PREFIX, previous_until__isnull=False),
                name="webhook_endpoint_previous_secret_ends",
            ),
            models.CheckConstraint(
                condition=Q(enabled=False) | Q(disabled_reason=""), name="webhook_endpoint_reason_is_of_disabled"
            ),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(models.Model):
    """One message on its way to one endpoint, once, however often it is tried.

    `next_try_at` is when it is due; a worker that takes it moves it ahead first, so it doubles as the claim. Without a
    message it is a test, which somebody asked for.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    message = models.ForeignKey(OutboxMessage, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.TextField("type")
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Since it was made, or last sent again by hand.")
    next_try_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="The endpoint's answer.")
    last_error = models.TextField(blank=True)
    last_ms = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "webhook_delivery"
        ordering = ["-created_at", "-id"]
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(
                fields=["endpoint", "next_try_at"], condition=Q(state="waiting"), name="webhook_delivery_waiting"
            ),
            models.Index(fields=["-created_at", "-id"], name="webhook_delivery_by_time"),
            models.Index(fields=["endpoint", "-created_at", "-id"], name="webhook_delivery_of_endpoint"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "message"], name="webhook_delivery_is_made_once"),
            models.CheckConstraint(
                condition=Q(message__isnull=False) | Q(kind="test"),
                name="webhook_delivery_without_message_is_a_test",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", next_try_at__isnull=False, delivered_at=None)
                | Q(state="delivered", next_try_at=None, delivered_at__isnull=False)
                | Q(state="failed", next_try_at=None, delivered_at=None),
                name="webhook_delivery_state_is_dated",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.endpoint}"

    @property
    def message_id_sent(self) -> str:
        """The ``webhook-id``: the message's, the same for every try and every endpoint."""
        return f"msg_{self.message_id}" if self.message_id else f"msg_test_{self.pk.hex}"


class WebhookAttempt(models.Model):
    """One try: what was answered, and how long it took."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)
    ms = models.PositiveIntegerField()
    response = models.TextField(blank=True, help_text="The beginning of the answer.")

    class Meta:
        db_table = "webhook_attempt"
        ordering = ["at", "id"]
        verbose_name = "attempt"

    def __str__(self) -> str:
        return f"{self.status or self.error}"
