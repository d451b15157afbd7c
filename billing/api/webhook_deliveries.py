"""/v1/webhook-deliveries: what was told to which endpoint, and what came of it."""

from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import InstantField
from access.views import ListView, StrictSerializer
from billing.models import WebhookAttempt, WebhookDelivery
from billing.outgoing.delivering import send_again
from billing.outgoing.problems import WebhookDeliveryUnknown
from billing.tasks import send_webhooks, wake
from entitlements.api.base import TimedView

_SHOWN: Final = {
    "id": "01a20a6c-1c11-7d0e-93b5-8c1f0e6b2a77",
    "endpoint": "01a20a6c-034f-71ab-a7d3-296f959f720f",
    "webhook_id": "msg_1042",
    "type": "balance.low",
    "state": "waiting",
    "attempts": 2,
    "next_try_at": "2026-11-15T12:05:06Z",
    "last_status": 503,
    "last_error": "answered 503",
    "last_ms": 84,
    "created_at": "2026-11-15T12:00:00Z",
    "delivered_at": None,
}
_FIRST: Final = {"at": "2026-11-15T12:00:00Z", "status": None, "error": "no answer within 15 seconds", "ms": 15000}
_SECOND: Final = {"at": "2026-11-15T12:00:20Z", "status": 503, "error": "answered 503", "ms": 84}
_EXAMPLE: Final = OpenApiExample(
    "Tried twice",
    _SHOWN | {"tries": [_FIRST | {"response": ""}, _SECOND | {"response": "busy"}]},
    response_only=True,
)


class DeliveriesQuery(StrictSerializer):
    """Which deliveries."""

    endpoint = serializers.UUIDField(required=False, help_text="Those to this endpoint.")
    state = serializers.ChoiceField(choices=WebhookDelivery.State.values, required=False)


class AttemptSerializer(serializers.Serializer[WebhookAttempt]):
    """One try."""

    at = InstantField()
    status = serializers.IntegerField(allow_null=True, help_text="The answer's; null: there was none.")
    error = serializers.CharField(help_text="Empty: it arrived.")
    ms = serializers.IntegerField(help_text="How long it took, in milliseconds.")
    response = serializers.CharField(help_text="The beginning of the answer.")


class WebhookDeliverySerializer(serializers.Serializer[WebhookDelivery]):
    """A message on its way to an endpoint."""

    id = serializers.UUIDField()
    endpoint = serializers.UUIDField(source="endpoint_id")
    webhook_id = serializers.CharField(source="message_id_sent", help_text="The message's, the same for every try.")
    type = serializers.CharField(source="kind")
    state = serializers.ChoiceField(choices=WebhookDelivery.State.values)
    attempts = serializers.IntegerField(help_text="Since it was made, or last resent.")
    next_try_at = InstantField(allow_null=True)
    last_status = serializers.IntegerField(allow_null=True)
    last_error = serializers.CharField(help_text="Empty: it arrived, or was not tried yet.")
    last_ms = serializers.IntegerField(allow_null=True)
    created_at = InstantField()
    delivered_at = InstantField(allow_null=True)


class WebhookDeliveryWithTries(WebhookDeliverySerializer):
    """A delivery with every try, oldest first."""

    tries = AttemptSerializer(many=True)


class WebhookDeliveriesView(TimedView, ListView):
    tags = ["webhooks"]
    query_serializer = DeliveriesQuery
    serializer_class = WebhookDeliverySerializer
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> "QuerySet[WebhookDelivery]":
        wanted = {"endpoint_id": self.query.get("endpoint"), "state": self.query.get("state")}
        return WebhookDelivery.objects.filter(**{name: value for name, value in wanted.items() if value is not None})

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Deliveries, newest first: of all endpoints or one, in any state or one."""
        return super().get(request, *args, **kwargs)


class WebhookDeliveryView(TimedView):
    tags = ["webhooks"]
    required_scopes = {"GET": "read"}

    @extend_schema(responses=WebhookDeliveryWithTries, examples=[_EXAMPLE])
    def get(self, request: Request, delivery: UUID) -> Response:
        """One delivery, with every try."""
        found = WebhookDelivery.objects.filter(pk=delivery).prefetch_related("tries").first()
        if found is None:
            raise _unknown(delivery)
        return Response(WebhookDeliveryWithTries(found).data)


class WebhookResendView(TimedView):
    tags = ["webhooks"]
    required_scopes = {"POST": "admin"}

    @extend_schema(request=None, responses={202: OpenApiResponse(WebhookDeliverySerializer, "On its way")})
    def post(self, request: Request, delivery: UUID) -> Response:
        """Send a delivery again, soon, with all its tries before it.

        Also one that arrived: its `webhook-id` stays, by which the receiver knows it.
        """
        again = send_again(delivery, self.now)
        if again is None:
            raise _unknown(delivery)
        wake(send_webhooks)
        return Response(WebhookDeliverySerializer(again).data, status=202)


def _unknown(delivery: UUID) -> WebhookDeliveryUnknown:
    return WebhookDeliveryUnknown(f"there is no webhook delivery {delivery}")
