"""PUT and GET /v1/customers/{key}, GET /v1/customers."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import InstantField, TextField
from access.views import ListView, StrictSerializer
from entitlements.api.base import CustomerView
from entitlements.models import Customer
from entitlements.queries.customers import find_customers
from entitlements.services.customers import MAX_TAGS, CustomerDetails, upsert_customer

MAX_TAG_NAME = 64
MAX_TAG_VALUE = 500


@extend_schema_field({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}})
class TagsField(serializers.Field[dict[str, Any], dict[str, Any], dict[str, Any], Any]):
    """Free tags: names to texts, numbers or booleans."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("must be an object of names to texts, numbers or booleans")
        if len(data) > MAX_TAGS:
            raise serializers.ValidationError(f"a customer has at most {MAX_TAGS} tags")
        for name, value in data.items():
            if not 1 <= len(name) <= MAX_TAG_NAME:
                raise serializers.ValidationError(f"a tag's name has 1 to {MAX_TAG_NAME} characters")
            if not isinstance(value, str | int | float):
                raise serializers.ValidationError({name: ["must be a text, a number or a boolean"]})
            if len(str(value)) > MAX_TAG_VALUE:
                raise serializers.ValidationError({name: [f"is longer than {MAX_TAG_VALUE} characters"]})
        return data

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


class CustomerInput(StrictSerializer):
    """Members left out stay as they are."""

    name = TextField(required=False, allow_blank=True, max_length=200)
    email = serializers.EmailField(required=False, allow_blank=True, max_length=254)
    currency = TextField(required=False)
    time_zone = TextField(required=False, help_text="IANA name; day windows of limits follow it.")
    tags = TagsField(required=False, help_text="Replaces all tags.")


class PlanRef(serializers.Serializer[Any]):
    """The plan version a subscription is on."""

    plan = serializers.CharField(source="plan_version.plan.key")
    version = serializers.IntegerField(source="plan_version.number")
    anchor = InstantField(help_text="Billing periods start at this day and time of the month or year.")
    started_at = InstantField()


class CustomerSerializer(serializers.Serializer[Customer]):
    """A customer, with the open subscription if there is one."""

    key = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField()
    currency = serializers.CharField()
    time_zone = serializers.CharField()
    tags = TagsField()
    created_at = InstantField()
    subscription = serializers.SerializerMethodField()

    @extend_schema_field(PlanRef(allow_null=True))
    def get_subscription(self, customer: Customer) -> dict[str, Any] | None:
        subscriptions: list[Any] = getattr(customer, "open_subscriptions", [])
        return PlanRef(subscriptions[0]).data if subscriptions else None


class CustomerQuery(StrictSerializer):
    tag = TextField(required=False, help_text="`name` or `name:value`.")
    plan = TextField(required=False, help_text="The key of the plan they are subscribed to.")


class CustomersView(ListView):
    """Customers by key."""

    tags = ["customers"]
    serializer_class = CustomerSerializer
    query_serializer = CustomerQuery
    ordering = ("key",)

    def get_queryset(self) -> "QuerySet[Customer]":
        name, colon, value = self.query.get("tag", "").partition(":")
        tag = (name, value if colon else None) if name else None
        return find_customers(tag=tag, plan=self.query.get("plan"))


class CustomerDetailView(CustomerView):
    required_scopes = {"GET": "read", "PUT": "admin"}

    @extend_schema(responses=CustomerSerializer)
    def get(self, request: Request, key: str) -> Response:
        """The customer with this key."""
        return Response(CustomerSerializer(self.customer()).data)

    @extend_schema(
        request=CustomerInput,
        responses={
            200: OpenApiResponse(CustomerSerializer, "Changed, or already so"),
            201: OpenApiResponse(CustomerSerializer, "Created"),
        },
    )
    def put(self, request: Request, key: str) -> Response:
        """Create the customer, or change what the body says. The key is the product's own id for it:
        1 to 128 printable characters, no slash."""
        details: CustomerDetails = self.read(CustomerInput, request)  # type: ignore[assignment]
        _, created = upsert_customer(key, details, self.now)
        return Response(CustomerSerializer(self.customer()).data, status=201 if created else 200)
