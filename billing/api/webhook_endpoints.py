"""/v1/webhook-endpoints: where the product is told what happens."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import InstantField, TextField
from access.views import ListView, StrictSerializer
from billing.api.fields import MAX_URL
from billing.api.webhook_deliveries import WebhookDeliverySerializer
from billing.models import WebhookEndpoint
from billing.outgoing.endpoints import (
    DEFAULT_OVERLAP,
    LONGEST_OVERLAP,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    find_endpoint,
    rotate_secret,
    send_test,
)
from billing.outgoing.kinds import NAMES
from billing.tasks import send_webhooks, wake
from entitlements.api.base import TimedView

_HOUR: Final = timedelta(hours=1)

_SHOWN: Final = {
    "id": "01a20a6c-034f-71ab-a7d3-296f959f720f",
    "url": "https://api.example.com/weir",
    "description": "Production",
    "event_types": ["balance.low", "top_up.succeeded"],
    "enabled": True,
    "disabled_reason": None,
    "failing_since": None,
    "previous_secret_until": None,
    "created_at": "2026-11-15T12:00:00Z",
}
_EXAMPLES: Final = [
    OpenApiExample(
        "Low balances and top-ups",
        {name: _SHOWN[name] for name in ("url", "description", "event_types")},
        request_only=True,
    ),
    OpenApiExample("Everything", {"url": "https://api.example.com/weir"}, request_only=True),
    OpenApiExample(
        "Made; the secret is shown this once",
        _SHOWN | {"secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD1rWEn8hNkvk="},
        response_only=True,
        status_codes=["201"],
    ),
]
_CHANGE: Final = OpenApiExample("Pause it", {"enabled": False}, request_only=True)
_ROTATE: Final = OpenApiExample("Both secrets for two days", {"overlap_hours": 48}, request_only=True)


class WebhookEndpointInput(StrictSerializer):
    """An endpoint's address, and what it is told."""

    url = TextField(max_length=MAX_URL, help_text="https. Not an address in a private network.")
    description = TextField(max_length=200, required=False, allow_blank=True)
    event_types = serializers.ListField(
        child=serializers.ChoiceField(choices=NAMES), required=False, help_text="Empty: everything, also what is new."
    )
    enabled = serializers.BooleanField(required=False)


class WebhookEndpointChange(WebhookEndpointInput):
    """What is to change; what is left out stays."""

    url = TextField(max_length=MAX_URL, required=False)


class RotationInput(StrictSerializer):
    """How long the present secret goes on signing beside the new one."""

    overlap_hours = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=LONGEST_OVERLAP // _HOUR,
        default=DEFAULT_OVERLAP // _HOUR,
        help_text="0 where it leaked: it ends at once.",
    )


class WebhookEndpointSerializer(serializers.Serializer[WebhookEndpoint]):
    """An endpoint."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    description = serializers.CharField()
    event_types = serializers.ListField(child=serializers.CharField(), help_text="Empty: everything.")
    enabled = serializers.BooleanField()
    disabled_reason = serializers.SerializerMethodField()
    failing_since = InstantField(allow_null=True, help_text="Nothing arrived since then; null: the last try did.")
    previous_secret_until = InstantField(
        source="previous_until", allow_null=True, help_text="Until then the secret before this one signs too."
    )
    created_at = InstantField()

    def get_disabled_reason(self, endpoint: WebhookEndpoint) -> str | None:
        """Why it was disabled, where nobody did it by hand."""
        return endpoint.disabled_reason or None


class WebhookEndpointWithSecret(WebhookEndpointSerializer):
    """An endpoint with its new secret, which is shown this once."""

    secret = serializers.CharField(help_text="What its receiver verifies messages with.")


class WebhookEndpointsView(TimedView, ListView):
    tags = ["webhooks"]
    required_scopes = {"GET": "read", "POST": "admin"}
    serializer_class = WebhookEndpointSerializer
    ordering = ("created_at", "id")

    def get_queryset(self) -> "QuerySet[WebhookEndpoint]":
        return WebhookEndpoint.objects.all()

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The endpoints, oldest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=WebhookEndpointInput,
        responses={201: OpenApiResponse(WebhookEndpointWithSecret, "Made")},
        examples=_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Add an endpoint. It is told what happens from now on.

        Messages follow Standard Webhooks; docs/webhooks.md lists them and shows how to verify them.
        """
        body = self.read(WebhookEndpointInput, request)
        endpoint = create_endpoint(body.pop("url"), self.now, **body)
        return Response(WebhookEndpointWithSecret(endpoint).data, status=201)


class WebhookEndpointView(TimedView):
    tags = ["webhooks"]
    required_scopes = {"GET": "read", "PATCH": "admin", "DELETE": "admin"}

    @extend_schema(responses=WebhookEndpointSerializer)
    def get(self, request: Request, endpoint: UUID) -> Response:
        """One endpoint."""
        return Response(WebhookEndpointSerializer(find_endpoint(endpoint)).data)

    @extend_schema(request=WebhookEndpointChange, responses=WebhookEndpointSerializer, examples=[_CHANGE])
    def patch(self, request: Request, endpoint: UUID) -> Response:
        """Change an endpoint. While it is disabled nothing new is kept for it, and what waits goes on waiting."""
        body = self.read(WebhookEndpointChange, request)
        return Response(WebhookEndpointSerializer(change_endpoint(endpoint, body)).data)

    @extend_schema(responses={204: OpenApiResponse(description="Deleted")})
    def delete(self, request: Request, endpoint: UUID) -> Response:
        """Delete an endpoint, with its deliveries."""
        delete_endpoint(endpoint)
        return Response(status=204)


class WebhookSecretView(TimedView):
    tags = ["webhooks"]
    required_scopes = {"POST": "admin"}

    @extend_schema(request=RotationInput, responses=WebhookEndpointWithSecret, examples=[_ROTATE])
    def post(self, request: Request, endpoint: UUID) -> Response:
        """Give an endpoint a new secret. Until the present one ends, every message is signed with both.

        Ending the overlap early is rotating again with `overlap_hours` 0.
        """
        body = self.read(RotationInput, request)
        changed = rotate_secret(endpoint, self.now, body["overlap_hours"] * _HOUR)
        return Response(WebhookEndpointWithSecret(changed).data)


class WebhookTestView(TimedView):
    tags = ["webhooks"]
    required_scopes = {"POST": "admin"}

    @extend_schema(request=None, responses={202: OpenApiResponse(WebhookDeliverySerializer, "On its way")})
    def post(self, request: Request, endpoint: UUID) -> Response:
        """Send an endpoint a message of type `test`. The delivery answered here shows what became of it."""
        delivery = send_test(endpoint, self.now)
        wake(send_webhooks)
        return Response(WebhookDeliverySerializer(delivery).data, status=202)
