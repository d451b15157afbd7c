"""GET and PUT /v1/customers/{key}/spend-cap."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import CreditsField
from access.views import StrictSerializer
from entitlements.api.base import CustomerView
from entitlements.services.accounts import read_account
from entitlements.services.spend_cap import set_spend_cap


class SpendCapInput(StrictSerializer):
    """Where the customer wants overage to stop."""

    credits = CreditsField(allow_null=True, help_text="A period's overage at most; 0 allows none, null is no own cap.")


class SpendCapSerializer(serializers.Serializer[Any]):
    """The caps on a period's overage, and how much of it there is. The lower of the two caps counts."""

    credits = CreditsField(allow_null=True, help_text="The customer's own cap; null: none.")
    plan_credits = CreditsField(allow_null=True, help_text="The plan's; null: none.")
    overage = CreditsField(help_text="Of this period, billed before its end or not.")


class SpendCapView(CustomerView):
    required_scopes = {"GET": "read", "PUT": "admin"}

    @extend_schema(responses=SpendCapSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Where the customer's overage stops."""
        return self._answer()

    @extend_schema(
        request=SpendCapInput,
        responses=SpendCapSerializer,
        examples=[OpenApiExample("At most 5,000 credits a period", {"credits": "5000"}, request_only=True)],
    )
    def put(self, request: Request, key: str) -> Response:
        """Set the customer's own cap on a period's overage, or take it off. Counts from the next call on.

        Overage that is there already stays. What a call really used above the cap is debt."""
        set_spend_cap(self.key, self.read(SpendCapInput, request)["credits"], self.now)
        return self._answer()

    def _answer(self) -> Response:
        account, reference = read_account(self.key, self.now)
        plan = reference.catalogue.plans.get(account.plan_version_id or 0)
        standing = {
            "credits": account.spend_cap,
            "plan_credits": plan.spend_cap_microcredits if plan else None,
            "overage": account.overage + account.overage_billed,
        }
        return Response(SpendCapSerializer(standing).data)
