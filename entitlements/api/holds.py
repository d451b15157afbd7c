"""GET /v1/holds/{id} and /v1/customers/{key}/holds."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import CreditsField, InstantField, TextField
from access.views import ListView, StrictSerializer
from entitlements.api.base import CustomerView, NamedView
from entitlements.core.holds import HoldUnknown
from entitlements.models import Hold
from entitlements.queries.usage import feature_keys
from kernel.ids import key_digest, public_id


@extend_schema_field({"type": "string", "example": "hold_2a_0192f0c1d2e37a4b8c5d6e7f8091a2b3"})
class HoldIdField(serializers.Field[Any, str, str, Any]):
    """The public id of a row of `hold`."""

    def to_representation(self, hold: Hold) -> str:
        return public_id("hold", hold.customer_id, hold.id)


@extend_schema_field(
    {"type": ["string", "null"], "description": "The record of what it was decided from. Null: a lease has none."}
)
class HoldsDecisionField(serializers.Field[Any, str | None, str | None, Any]):
    """A hold's decision has the hold's id."""

    def to_representation(self, hold: Hold) -> str | None:
        return None if hold.is_lease else public_id("decision", hold.customer_id, hold.id)


@extend_schema_field({"type": "string", "description": "open, settled, voided or expired.", "example": "open"})
class HoldStatusField(serializers.Field[Any, str, str, Any]):
    """The word for a hold's status."""

    def to_representation(self, status: int) -> str:
        return str(Hold.Status(status).label)


@extend_schema_serializer(component_name="HoldRecord")
class HoldSerializer(serializers.Serializer[Hold]):
    """Credits set aside before a call, or leased to a process."""

    id = HoldIdField(source="*")
    key = serializers.CharField()
    is_lease = serializers.BooleanField(help_text="A block of credits one process spends locally.")
    status = HoldStatusField()
    credits = CreditsField(source="held_microcredits", help_text="What is still held.")
    settled = CreditsField(source="settled_microcredits", help_text="What was charged.")
    feature = serializers.SerializerMethodField()
    model = serializers.CharField()
    user = serializers.CharField(source="user_key")
    run_id = serializers.SerializerMethodField()
    decision_id = HoldsDecisionField(source="*")
    placed_at = InstantField()
    expires_at = InstantField()
    closed_at = InstantField(allow_null=True)

    def get_feature(self, hold: Hold) -> str | None:
        features: Mapping[int, str] = self.context["feature_keys"]
        return features.get(hold.feature_id)

    @extend_schema_field({"type": ["string", "null"], "description": "The run it counts in, and so in all around it."})
    def get_run_id(self, hold: Hold) -> str | None:
        return None if hold.run_id is None else public_id("run", hold.customer_id, hold.run_id)


class HoldView(NamedView):
    tags = ["holds"]
    required_scopes = {"GET": "read"}
    kind, unknown = "hold", HoldUnknown

    @extend_schema(responses=HoldSerializer)
    def get(self, request: Request, **named: str) -> Response:
        """The hold or lease as it stands now: one whose deadline has passed has expired."""
        customer, hold_id = self.named()
        hold = Hold.objects.filter(customer_id=customer.pk, id=hold_id).first()
        if hold is None:
            raise self.missing()
        return Response(HoldSerializer(hold, context={"feature_keys": feature_keys({hold.feature_id})}).data)


class HoldsQuery(StrictSerializer):
    status = serializers.ChoiceField(choices=Hold.Status.labels, required=False)
    key = TextField(required=False, help_text="The hold's own key: finds its id.")


class HoldsView(CustomerView, ListView):
    """The customer's holds and leases: the open ones, then the settled, voided and expired, each newest first."""

    serializer_class = HoldSerializer
    query_serializer = HoldsQuery
    ordering = ("status", "-placed_at", "id")

    def get_queryset(self) -> "QuerySet[Hold]":
        holds = Hold.objects.filter(customer_id=self.up_to_date().pk)
        if "status" in self.query:
            holds = holds.filter(status=Hold.Status[self.query["status"].upper()])
        return holds.filter(id=key_digest(self.query["key"])) if "key" in self.query else holds

    def get_serializer(self, holds: Any = (), **kwargs: Any) -> Any:
        kwargs["context"] = {"feature_keys": feature_keys({hold.feature_id for hold in holds})}
        return HoldSerializer(holds, **kwargs)
