"""GET, PUT and DELETE /v1/customers/{key}/auto-top-up."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import CreditsField, InstantField, MoneyField, TextField
from access.views import StrictSerializer
from billing.models import AutoTopUp
from billing.services.auto_top_ups import AutoTopUpTerms, auto_top_up_of, end_auto_top_up, set_auto_top_up
from billing.tasks import top_up, wake
from entitlements.api.base import CustomerView
from kernel.errors import InvalidInput

_EXAMPLE: Final = OpenApiExample(
    "Below 100 credits, buy a pack, for at most 200 dollars a month",
    {"threshold": "100", "pack": "pack-1000", "monthly_cap": {"amount": "200.00", "currency": "USD"}},
    request_only=True,
)


class AutoTopUpInput(StrictSerializer):
    """When to buy, and what: a pack, or so many credits at a time."""

    threshold = CreditsField(help_text="Buy when available falls below this.")
    pack = TextField(required=False, allow_null=True, help_text="The key of a top-up pack.")
    credits = CreditsField(required=False, allow_null=True, help_text="A custom amount, priced as in top-ups.")
    monthly_cap = MoneyField(
        required=False, allow_null=True, help_text="Per calendar month in UTC, before tax. Default: none."
    )
    enabled = serializers.BooleanField(required=False, default=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["threshold"] < 0:
            raise InvalidInput("must not be negative", field="threshold")
        return attrs


class AutoTopUpSerializer(serializers.Serializer[AutoTopUp]):
    """A standing order. While `paused` it buys nothing; a payment, or setting it anew, ends that."""

    enabled = serializers.BooleanField()
    threshold = CreditsField(source="threshold_microcredits")
    pack = serializers.CharField(source="pack.key", default=None, allow_null=True)
    credits = CreditsField(source="microcredits", allow_null=True)
    monthly_cap = MoneyField(allow_null=True)
    paused = serializers.SerializerMethodField()
    failures = serializers.IntegerField(help_text="Orders that failed since the last that was paid.")
    next_try_at = InstantField(allow_null=True, help_text="Not before: this month's cap is reached.")
    changed_at = InstantField()

    def get_paused(self, row: AutoTopUp) -> str | None:
        """Why it rests: declined, needs_action, no_card, refused, disputed or customer_deleted."""
        return row.paused_reason or None


class AutoTopUpView(CustomerView):
    tags = ["money in"]
    required_scopes = {"GET": "read", "PUT": "admin", "DELETE": "admin"}

    @extend_schema(responses=AutoTopUpSerializer)
    def get(self, request: Request, key: str) -> Response:
        """The customer's auto top-up."""
        return Response(AutoTopUpSerializer(auto_top_up_of(self.key)).data)

    @extend_schema(request=AutoTopUpInput, examples=[_EXAMPLE], responses=AutoTopUpSerializer)
    def put(self, request: Request, key: str) -> Response:
        """Set or replace it. A balance that is low already is topped up soon.

        The card charged is the customer's default at Stripe: the one kept at their first purchase, or chosen since.
        """
        body = self.read(AutoTopUpInput, request)
        terms = AutoTopUpTerms(
            threshold_microcredits=body["threshold"],
            pack=body.get("pack"),
            microcredits=body.get("credits"),
            monthly_cap=body.get("monthly_cap"),
            enabled=body["enabled"],
        )
        row = set_auto_top_up(self.key, terms, self.now)
        wake(top_up)
        return Response(AutoTopUpSerializer(row).data)

    @extend_schema(request=None, responses={204: OpenApiResponse(description="Ended")})
    def delete(self, request: Request, key: str) -> Response:
        """End it. An order that waits for another try is given up."""
        end_auto_top_up(self.key, self.now)
        return Response(status=204)
