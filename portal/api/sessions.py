"""POST /v1/customers/{key}/portal-sessions."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import InstantField, TextField
from access.views import StrictSerializer
from entitlements.api.base import CustomerView
from portal.links import link_url
from portal.services.sessions import MAX_URL, create_link


class PortalSessionInput(StrictSerializer):
    """What the pages should know beside the customer."""

    return_url = TextField(
        required=False,
        allow_blank=True,
        max_length=MAX_URL,
        help_text="Where the pages' link back to your product leads.",
    )


class PortalSessionSerializer(serializers.Serializer[Any]):
    """A link to the customer's own pages."""

    url = serializers.URLField(help_text="Redirect the customer's browser here. It works once.")
    expires_at = InstantField(help_text="Opened later, it asks for a new one.")


class PortalSessionsView(CustomerView):
    required_scopes = {"POST": "admin"}

    @extend_schema(
        request=PortalSessionInput,
        responses={201: OpenApiResponse(PortalSessionSerializer, "The link")},
        examples=[
            OpenApiExample(
                "A link that leads back", {"return_url": "https://app.example.com/settings/billing"}, request_only=True
            ),
            OpenApiExample(
                "The link",
                {
                    "url": "https://billing.example.com/portal/enter?link=01997d3b…",
                    "expires_at": "2026-11-15T12:10:00Z",
                },
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request, key: str) -> Response:
        """Make a link to the customer's own pages: balance, usage, ledger, top-ups, settings, invoices.

        The link works once, within ten minutes, and gives whoever opens it two hours in the pages of this
        customer, and of no other. Ask for it when the customer clicks, and redirect them there."""
        body = self.read(PortalSessionInput, request)
        caller: Any = request.auth
        link = create_link(
            self.key, created_by=f"key {caller.prefix}", now=self.now, return_url=body.get("return_url", "")
        )
        answer = {"url": link_url(link.token, request), "expires_at": link.session.link_expires_at}
        return Response(PortalSessionSerializer(answer).data, status=201)
