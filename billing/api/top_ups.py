"""/v1/customers/{key}/top-ups: buying credits on Stripe's page."""

from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import CreditsField, InstantField, MoneyField, TextField
from access.views import ListView, StrictSerializer
from billing.api.fields import FailureSerializer, WebAddressField
from billing.models import TopUpOrder
from billing.services.top_ups import TopUpRequest, request_top_up
from entitlements.api.base import CustomerView
from kernel.errors import InvalidInput, NotFound

_RETURN: Final = {
    "success_url": "https://app.example.com/credits?paid={CHECKOUT_SESSION_ID}",
    "cancel_url": "https://app.example.com/credits",
}
_EXAMPLES: Final = [
    OpenApiExample("A pack", {"key": "topup-2041", "pack": "pack-1000", **_RETURN}, request_only=True),
    OpenApiExample("A custom amount", {"key": "topup-2042", "credits": "250", **_RETURN}, request_only=True),
]


class TopUpUnknown(NotFound):
    code = "top_up_unknown"
    title = "There is no such top-up"


class TopUpInput(StrictSerializer):
    """What to buy: a pack, or so many credits. Repeating the request answers the same order and page."""

    key = TextField(max_length=255, help_text="Your idempotency key for this purchase.")
    pack = TextField(required=False, help_text="The key of a top-up pack.")
    credits = CreditsField(
        required=False,
        help_text="A custom amount, at the price per credit of the largest pack that is not larger (else of the "
        "smallest), rounded up to what can be charged, without a bonus.",
    )
    success_url = WebAddressField(help_text="Where the customer goes after paying.")
    cancel_url = WebAddressField(required=False, help_text="Where the customer goes who changes their mind.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("pack" in attrs) == ("credits" in attrs):
            raise InvalidInput("say either which pack or how many credits", field="pack")
        return attrs


class TopUpSerializer(serializers.Serializer[TopUpOrder]):
    """A purchase of credits, by the customer on a page or by auto top-up."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    origin = serializers.ChoiceField(choices=TopUpOrder.Origin.values)
    state = serializers.ChoiceField(
        choices=TopUpOrder.State.values,
        help_text="open: not paid yet. needs_action: the customer's bank wants them, at `url`. paid: the credits are "
        "there. failed, expired: it came to nothing.",
    )
    pack = serializers.CharField(source="pack.key", default=None, allow_null=True)
    packs = serializers.IntegerField(help_text="How many of the pack the one charge buys.")
    credits = CreditsField(source="microcredits")
    bonus = CreditsField(source="bonus_microcredits")
    amount = MoneyField(help_text="The price, before tax.")
    paid = MoneyField(allow_null=True, help_text="What was paid, without tax.")
    tax = MoneyField(allow_null=True)
    url = serializers.SerializerMethodField()
    invoice_url = serializers.SerializerMethodField()
    receipt_url = serializers.SerializerMethodField()
    failure = serializers.SerializerMethodField()
    grant = serializers.UUIDField(source="grant_id", allow_null=True)
    created_at = InstantField()
    paid_at = InstantField(allow_null=True)
    closed_at = InstantField(allow_null=True)

    @extend_schema_field({"type": ["string", "null"], "format": "uri"})
    def get_url(self, order: TopUpOrder) -> str | None:
        """Where the customer pays; null once it is paid or over."""
        return order.url or None if order.closed_at is None else None

    @extend_schema_field({"type": ["string", "null"], "format": "uri"})
    def get_invoice_url(self, order: TopUpOrder) -> str | None:
        """Stripe's invoice, once it is paid."""
        return order.invoice_url or None

    @extend_schema_field({"type": ["string", "null"], "format": "uri"})
    def get_receipt_url(self, order: TopUpOrder) -> str | None:
        """Stripe's receipt, once it is paid."""
        return order.receipt_url or None

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_failure(self, order: TopUpOrder) -> dict[str, Any] | None:
        """What went wrong last."""
        return dict(FailureSerializer(order).data) if order.failure_code else None


class TopUpsView(CustomerView, ListView):
    tags = ["money in"]
    required_scopes = {"GET": "read", "POST": "admin"}
    serializer_class = TopUpSerializer
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> "QuerySet[TopUpOrder]":
        return TopUpOrder.objects.filter(customer=self.customer()).select_related("pack")

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The customer's top-ups, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=TopUpInput,
        examples=_EXAMPLES,
        responses={
            200: OpenApiResponse(TopUpSerializer, "The key was used before with this body: the order it made"),
            201: OpenApiResponse(TopUpSerializer, "Ordered: send the customer to `url`"),
        },
    )
    def post(self, request: Request, key: str) -> Response:
        """Sell the customer credits. Answers the page to pay on; the credits come when the payment does.

        Debt and this period's overage are paid from them first.
        """
        body = self.read(TopUpInput, request)
        wanted = TopUpRequest(
            key=body["key"],
            pack=body.get("pack"),
            microcredits=body.get("credits"),
            success_url=body["success_url"],
            cancel_url=body.get("cancel_url", ""),
        )
        order, created = request_top_up(self.key, wanted, self.now)
        return Response(TopUpSerializer(order).data, status=201 if created else 200)


class TopUpView(CustomerView):
    tags = ["money in"]
    required_scopes = {"GET": "read"}

    @extend_schema(responses=TopUpSerializer)
    def get(self, request: Request, key: str, top_up: UUID) -> Response:
        """One top-up: how far it is."""
        order = TopUpOrder.objects.select_related("pack").filter(customer=self.customer(), pk=top_up).first()
        if order is None:
            raise TopUpUnknown(f"customer {key!r} has no top-up {top_up}")
        return Response(TopUpSerializer(order).data)
