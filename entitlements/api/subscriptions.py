"""GET, PUT and DELETE /v1/customers/{key}/subscription."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import InstantField, TextField
from access.views import StrictSerializer
from entitlements.api.base import CustomerView
from entitlements.api.customers import PlanRef
from entitlements.models import Subscription
from entitlements.services.subscriptions import NotSubscribed, end_subscription, subscribe
from kernel.errors import InvalidInput
from plans.models import PlanVersion


class SubscriptionInput(StrictSerializer):
    """The plan to be on from now."""

    plan = TextField(help_text="The plan's key.")
    version = serializers.IntegerField(
        required=False, min_value=1, max_value=2_147_483_647, help_text="Default: the latest that is published."
    )
    anchor = InstantField(
        required=False,
        help_text="Billing periods start at this day and time. Default: the former subscription's, else now.",
    )


class SubscriptionSerializer(PlanRef):
    """A customer on a plan version over [started_at, ended_at)."""

    ended_at = InstantField(allow_null=True)


class SubscriptionView(CustomerView):
    required_scopes = {"GET": "read", "PUT": "admin", "DELETE": "admin"}

    @extend_schema(responses=SubscriptionSerializer)
    def get(self, request: Request, key: str) -> Response:
        """The open subscription."""
        subscriptions: list[Subscription] = getattr(self.customer(), "open_subscriptions")  # noqa: B009 - prefetched
        if not subscriptions:
            raise NotSubscribed(f"customer {key!r} has no subscription")
        return Response(SubscriptionSerializer(subscriptions[0]).data)

    @extend_schema(
        request=SubscriptionInput,
        responses={
            200: OpenApiResponse(SubscriptionSerializer, "Already so"),
            201: OpenApiResponse(SubscriptionSerializer, "Subscribed, or changed over"),
        },
    )
    def put(self, request: Request, key: str) -> Response:
        """Put the customer on a plan from now, ending the subscription they had. What was bought stays."""
        body = self.read(SubscriptionInput, request)
        version = named_plan_version(body["plan"], body.get("version"))
        subscription = subscribe(self.key, version, self.now, anchor=body.get("anchor"))
        fresh = subscription.started_at == self.now
        return Response(SubscriptionSerializer(subscription).data, status=201 if fresh else 200)

    @extend_schema(request=None, responses={200: SubscriptionSerializer})
    def delete(self, request: Request, key: str) -> Response:
        """End the subscription now: its allowance is taken back, its overage falls due."""
        return Response(SubscriptionSerializer(end_subscription(self.key, self.now)).data)


def named_plan_version(plan: str, number: int | None) -> PlanVersion:
    """The version asked for, or the latest published one. Raises InvalidInput."""
    versions = PlanVersion.objects.filter(plan__key=plan).select_related("plan")
    if not versions.exists():
        raise InvalidInput(f"no plan has the key {plan!r}", field="plan")
    wanted: dict[str, Any] = {"status": PlanVersion.Status.PUBLISHED} if number is None else {"number": number}
    version = versions.filter(**wanted).order_by("-number").first()
    if version is None:
        detail = (
            f"plan {plan!r} has no published version" if number is None else f"plan {plan!r} has no version {number}"
        )
        raise InvalidInput(detail, field="plan" if number is None else "version")
    return version
