"""GET and POST /v1/customers/{key}/grants."""

from typing import Any, Final

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import CreditsField, InstantField, MoneyField, TextField
from access.views import ListView, StrictSerializer
from entitlements.api.base import CustomerView
from entitlements.models import CreditGrant
from entitlements.queries.grants import state_of
from entitlements.services.grants import GrantRequest, add_grant
from kernel.errors import InvalidInput

SOURCES: Final = ("promo", "adjustment", "top_up")
"""Allowances and rollovers come from the plan, not from callers."""


class GrantInput(StrictSerializer):
    """Credits to give once. Repeating the request answers the same grant."""

    key = TextField(max_length=255, help_text="Your idempotency key for this grant.")
    credits = CreditsField()
    source = serializers.ChoiceField(choices=SOURCES)  # type: ignore[assignment] # DRF takes declared fields off the class
    effective_at = InstantField(required=False, allow_null=True, help_text="Default: now.")
    expires_at = InstantField(required=False, allow_null=True, help_text="Default: never.")
    priority = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=32_767, help_text="Lower burns first."
    )
    paid = MoneyField(required=False, allow_null=True, help_text="What was paid for them: earned as they burn.")
    reason = TextField(required=False, allow_blank=True, max_length=1000)


class GrantSerializer(serializers.Serializer[CreditGrant]):
    """Credits with a source, priority, dates, and what was paid for them."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    source = serializers.ChoiceField(choices=CreditGrant.Source.values)  # type: ignore[assignment] # DRF takes declared fields off the class
    state = serializers.SerializerMethodField()
    credits = CreditsField(source="amount_microcredits")
    remaining = CreditsField(source="remaining_microcredits")
    priority = serializers.IntegerField()
    effective_at = InstantField()
    expires_at = InstantField(allow_null=True)
    created_at = InstantField()
    paid = MoneyField()
    reason = serializers.CharField()

    def get_state(self, grant: CreditGrant) -> str:
        """pending, active, voided, or closed (used up or expired)."""
        return state_of(grant)


class GrantsView(CustomerView, ListView):
    required_scopes = {"GET": "read", "POST": "admin"}
    serializer_class = GrantSerializer
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> "QuerySet[CreditGrant]":
        return CreditGrant.objects.filter(customer_id=self.up_to_date().pk)

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The customer's grants, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=GrantInput,
        responses={
            200: OpenApiResponse(GrantSerializer, "The key was used before with this body: the grant it made"),
            201: OpenApiResponse(GrantSerializer, "Granted"),
        },
    )
    def post(self, request: Request, key: str) -> Response:
        """Give the customer credits. Debt and this period's overage are paid from them first."""
        body = self.read(GrantInput, request)
        currency, paid = self.customer().currency, body.get("paid")
        if paid is not None and str(paid.currency) != currency:
            raise InvalidInput(f"the customer pays in {currency}", field="paid.currency")
        microcredits = body.pop("credits")
        caller: Any = request.auth
        grant, created = add_grant(
            key, GrantRequest(**body, microcredits=microcredits, actor=f"key {caller.prefix}"), self.now
        )
        return Response(GrantSerializer(grant).data, status=201 if created else 200)
