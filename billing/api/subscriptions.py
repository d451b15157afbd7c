"""/v1/customers/{key}/subscription/…: subscriptions that Stripe collects for."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import InstantField, TextField
from access.views import StrictSerializer
from billing.api.fields import WebAddressField
from billing.models import StripeSubscription, SubscriptionOrder
from billing.subscriptions.changing import cancel, change_plan, go_on
from billing.subscriptions.mirror import live
from billing.subscriptions.problems import NotSubscribedAtStripe
from billing.subscriptions.starting import Wanted, start_checkout, start_with_card
from entitlements.api.base import CustomerView
from entitlements.api.subscriptions import named_plan_version

_RETURN: Final = {
    "success_url": "https://app.example.com/plan?paid={CHECKOUT_SESSION_ID}",
    "cancel_url": "https://app.example.com/plans",
}


class PlanWanted(StrictSerializer):
    """A plan on sale."""

    plan = TextField(help_text="The plan's key.")
    version = serializers.IntegerField(
        required=False, min_value=1, max_value=2_147_483_647, help_text="Default: the latest that is published."
    )


class CardInput(PlanWanted):
    """A subscription to begin with the card on file. Repeating the request answers the same order."""

    key = TextField(max_length=255, help_text="Your idempotency key for this purchase.")
    trial_days = serializers.IntegerField(required=False, default=0, min_value=0, max_value=730)


class CheckoutInput(CardInput):
    """A subscription to begin on Stripe's page. Repeating the request answers the same order and page."""

    success_url = WebAddressField(help_text="Where the customer goes after paying.")
    cancel_url = WebAddressField(required=False, help_text="Where the customer goes who changes their mind.")


class ChangeInput(PlanWanted):
    """Another plan for a subscription that runs."""

    when = serializers.ChoiceField(
        choices=["auto", "now", "period_end"],
        required=False,
        default="auto",
        help_text="auto: now for a plan that costs as much or more, has another interval, or in a trial; else at the "
        "period's end. Now is prorated by Stripe and paid at once.",
    )


class CancelInput(StrictSerializer):
    """The end of a subscription."""

    when = serializers.ChoiceField(choices=["period_end", "now"], required=False, default="period_end")


class SubscriptionOrderSerializer(serializers.Serializer[SubscriptionOrder]):
    """A subscription on its way."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    origin = serializers.ChoiceField(choices=SubscriptionOrder.Origin.values)
    state = serializers.ChoiceField(
        choices=SubscriptionOrder.State.values,
        help_text="open: not paid yet. done: the customer is on the plan. failed, expired: it came to nothing.",
    )
    plan = serializers.CharField(source="plan_version.plan.key")
    version = serializers.IntegerField(source="plan_version.number")
    trial_days = serializers.IntegerField()
    url = serializers.SerializerMethodField()
    created_at = InstantField()
    closed_at = InstantField(allow_null=True)

    @extend_schema_field({"type": ["string", "null"], "format": "uri"})
    def get_url(self, order: SubscriptionOrder) -> str | None:
        """Where the customer pays; null once it is over, and for a saved card."""
        return order.url or None if order.closed_at is None else None


class PlanNamed(serializers.Serializer[Any]):
    """A plan version, by name."""

    plan = serializers.CharField(source="plan.key")
    version = serializers.IntegerField(source="number")


class StripeSubscriptionSerializer(serializers.Serializer[StripeSubscription]):
    """A subscription as Stripe last showed it, and what is to become of it."""

    id = serializers.CharField()
    status = serializers.CharField(
        help_text="Stripe's: trialing, active, past_due, unpaid, paused, canceled, incomplete, incomplete_expired."
    )
    charged = PlanNamed(
        source="plan_version", allow_null=True, help_text="What Stripe charges for; null: a price that is none of ours."
    )
    next = PlanNamed(source="pending_version", allow_null=True, help_text="The plan from the next period on.")
    next_at = InstantField(source="pending_at", allow_null=True)
    change_awaits_payment = serializers.SerializerMethodField()
    period_start = InstantField()
    period_end = InstantField()
    trial_end = InstantField(allow_null=True)
    cancel_at = InstantField(allow_null=True)
    overdue_since = InstantField(allow_null=True, help_text="The plan's grace policy counts from here.")
    ended_at = InstantField(allow_null=True)

    def get_change_awaits_payment(self, row: StripeSubscription) -> bool:
        """Whether an upgrade waits for its invoice to be paid; Stripe drops it after a day."""
        return row.raw.get("pending_update") is not None


class SubscriptionActionView(CustomerView):
    tags = ["money in"]
    required_scopes = {"POST": "admin"}

    def wanted(self, body: dict[str, Any]) -> Wanted:
        return Wanted(
            key=body["key"],
            plan_version=named_plan_version(body["plan"], body.get("version")),
            trial_days=body["trial_days"],
            success_url=body.get("success_url", ""),
            cancel_url=body.get("cancel_url", ""),
        )


class SubscriptionCheckoutView(SubscriptionActionView):
    @extend_schema(
        request=CheckoutInput,
        examples=[OpenApiExample("A trial first", {"key": "sub-7", "plan": "pro", "trial_days": 14, **_RETURN})],
        responses={
            200: OpenApiResponse(SubscriptionOrderSerializer, "The key was used before with this body"),
            201: OpenApiResponse(SubscriptionOrderSerializer, "Send the customer to `url`"),
        },
    )
    def post(self, request: Request, key: str) -> Response:
        """A page where the customer subscribes. An earlier page that was not paid on is closed."""
        order, new = start_checkout(self.key, self.wanted(self.read(CheckoutInput, request)), self.now)
        return Response(SubscriptionOrderSerializer(order).data, status=201 if new else 200)


class SubscriptionStartView(SubscriptionActionView):
    @extend_schema(
        request=CardInput,
        examples=[OpenApiExample("With the saved card", {"key": "sub-8", "plan": "pro"})],
        responses={
            200: OpenApiResponse(SubscriptionOrderSerializer, "The key was used before with this body"),
            201: OpenApiResponse(SubscriptionOrderSerializer, "Paid, and on the plan"),
        },
    )
    def post(self, request: Request, key: str) -> Response:
        """Subscribe with the card on file: it is charged now, or nothing has happened."""
        order, new = start_with_card(self.key, self.wanted(self.read(CardInput, request)), self.now)
        return Response(SubscriptionOrderSerializer(order).data, status=201 if new else 200)


class SubscriptionChangeView(SubscriptionActionView):
    @extend_schema(
        request=ChangeInput,
        examples=[OpenApiExample("Whenever is best", {"plan": "team"})],
        responses=StripeSubscriptionSerializer,
    )
    def post(self, request: Request, key: str) -> Response:
        """Change the plan: an upgrade now, a downgrade at the period's end.

        The plan the customer is on undoes a change that waits.
        """
        body = self.read(ChangeInput, request)
        version = named_plan_version(body["plan"], body.get("version"))
        return Response(StripeSubscriptionSerializer(change_plan(self.key, version, body["when"], self.now)).data)


class SubscriptionCancelView(SubscriptionActionView):
    @extend_schema(
        request=CancelInput,
        examples=[OpenApiExample("With the period", {"when": "period_end"})],
        responses=StripeSubscriptionSerializer,
    )
    def post(self, request: Request, key: str) -> Response:
        """End the subscription, with its period or now. Bought credits stay."""
        body = self.read(CancelInput, request)
        return Response(StripeSubscriptionSerializer(cancel(self.key, body["when"], self.now)).data)


class SubscriptionResumeView(SubscriptionActionView):
    @extend_schema(request=None, responses=StripeSubscriptionSerializer)
    def post(self, request: Request, key: str) -> Response:
        """Let a subscription that was to end with its period go on."""
        return Response(StripeSubscriptionSerializer(go_on(self.key, self.now)).data)


class StripeSubscriptionView(CustomerView):
    tags = ["money in"]
    required_scopes = {"GET": "read"}

    @extend_schema(responses=StripeSubscriptionSerializer)
    def get(self, request: Request, key: str) -> Response:
        """What Stripe collects for: its status, period, and what is to change."""
        row = live(self.customer())
        if row is None:
            raise NotSubscribedAtStripe(f"{key!r} has no subscription at Stripe")
        return Response(StripeSubscriptionSerializer(row).data)
