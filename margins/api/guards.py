"""Floors under the projected margin of a plan or a customer, and the figure they are held against."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import InstantField, TextField
from access.views import StrictSerializer
from entitlements.api.base import CustomerView, TimedView
from entitlements.models import MarginFigure, MarginGuard
from entitlements.models.margin import DEFAULT_FRESHNESS_SECONDS
from entitlements.services.margin_guards import FloorWanted, MarginGuardUnknown, Target, end_guard, guards_of, set_guard
from kernel.errors import NotFound
from kernel.units import format_scaled
from plans import problems
from plans.models import Plan

_RATIO = {"type": ["string", "null"], "format": "decimal"}
_ACTIONS = [OpenApiParameter("action", str, OpenApiParameter.PATH, enum=MarginGuard.Action.values)]


class MarginNotProjected(NotFound):
    code = "margin_not_projected"
    title = "There is no projected margin of this customer"


class GuardInput(StrictSerializer):
    """A floor under the projected margin of a period."""

    floor = TextField(max_length=10, help_text="Margin ÷ revenue, -1 to 1: 0.4 is 40 %.")
    freshness_seconds = serializers.IntegerField(
        required=False, min_value=5, max_value=86_400, default=DEFAULT_FRESHNESS_SECONDS
    )
    trusts_stale = serializers.BooleanField(
        required=False, default=False, help_text="Act on figures older than that too, instead of only telling them."
    )
    note = TextField(required=False, allow_blank=True, max_length=1_000, default="")

    def validate_floor(self, text: str) -> Decimal:
        try:
            floor = Decimal(text)
        except ArithmeticError:
            raise serializers.ValidationError('must be a decimal string such as "0.4"') from None
        if not floor.is_finite() or not -1 <= floor <= 1 or round(floor, 6) != floor:
            raise serializers.ValidationError("must be between -1 and 1, with at most six decimal places")
        return floor


class GuardSerializer(serializers.Serializer[MarginGuard]):
    """A floor in force, and what happens below it."""

    action = serializers.ChoiceField(choices=MarginGuard.Action.values)
    scope = serializers.SerializerMethodField()
    floor = serializers.SerializerMethodField()
    freshness_seconds = serializers.IntegerField()
    trusts_stale = serializers.BooleanField()
    starts_at = InstantField()
    ends_at = InstantField(allow_null=True)
    note = serializers.CharField()

    @extend_schema_field({"type": "string", "enum": ["plan", "customer"]})
    def get_scope(self, guard: MarginGuard) -> str:
        return "customer" if guard.plan_id is None else "plan"

    @extend_schema_field(_RATIO)
    def get_floor(self, guard: MarginGuard) -> str:
        return f"{Decimal(guard.floor).normalize():f}"


class GuardList(serializers.Serializer[Any]):
    data = GuardSerializer(many=True)  # type: ignore[assignment] # DRF takes declared fields off the class


class _OfPlan(TimedView):
    tags = ["margins"]

    def target(self) -> Target:
        key: str = self.kwargs["key"]
        plan = Plan.objects.filter(key=key).first() if "\0" not in key else None
        if plan is None:
            raise problems.PlanUnknown(f"There is no plan {key!r}.")
        return plan


class _OfCustomer(CustomerView):
    tags = ["margins"]

    def target(self) -> Target:
        return self.customer()


class _Guards:
    """Reading the guards of a target."""

    required_scopes: ClassVar[Mapping[str, str]] = {"GET": "read"}

    @extend_schema(responses=GuardList)
    def get(self: Any, request: Request, key: str) -> Response:
        """The floors that are set, and what happens below each. A customer's own take the place of the plan's."""
        return Response(GuardList({"data": guards_of(self.target())}).data)


class _Guard:
    """Setting and ending one guard of a target."""

    required_scopes: ClassVar[Mapping[str, str]] = {"PUT": "admin", "DELETE": "admin"}

    @extend_schema(
        request=GuardInput,
        parameters=_ACTIONS,
        responses={200: OpenApiResponse(GuardSerializer, "Already so"), 201: OpenApiResponse(GuardSerializer, "Set")},
    )
    def put(self: Any, request: Request, key: str, action: str) -> Response:
        """Set a floor from now on: below it every call is warned about, downgraded or denied.

        It acts from its commit on for whoever has a figure; the others have theirs within half a minute.
        """
        wanted = FloorWanted(**self.read(GuardInput, request))
        guard, new = set_guard(self.target(), _known(action), wanted, self.now)
        return Response(GuardSerializer(guard).data, status=201 if new else 200)

    @extend_schema(request=None, parameters=_ACTIONS, responses={200: GuardSerializer})
    def delete(self: Any, request: Request, key: str, action: str) -> Response:
        """Take a floor away, from now on."""
        return Response(GuardSerializer(end_guard(self.target(), _known(action), self.now)).data)


class PlanGuardsView(_Guards, _OfPlan):
    """GET /v1/plans/{key}/margin-guards."""


class PlanGuardView(_Guard, _OfPlan):
    """PUT, DELETE /v1/plans/{key}/margin-guards/{action}."""


class CustomerGuardsView(_Guards, _OfCustomer):
    """GET /v1/customers/{key}/margin-guards."""


class CustomerGuardView(_Guard, _OfCustomer):
    """PUT, DELETE /v1/customers/{key}/margin-guards/{action}."""


class ProjectionSerializer(serializers.Serializer[MarginFigure]):
    """What a guarded customer's current period is projected to leave."""

    period_start = InstantField()
    period_end = InstantField()
    computed_at = InstantField()
    currency = serializers.CharField()
    revenue = serializers.SerializerMethodField()
    cost = serializers.SerializerMethodField()
    margin_ratio = serializers.SerializerMethodField()
    unpriced_calls = serializers.IntegerField(help_text="Calls so far whose cost is missing from it.")

    @extend_schema_field(_RATIO)
    def get_revenue(self, figure: MarginFigure) -> str:
        return format_scaled(figure.revenue_nano, 9)

    @extend_schema_field(_RATIO)
    def get_cost(self, figure: MarginFigure) -> str:
        return format_scaled(figure.cost_nano, 9)

    @extend_schema_field(_RATIO | {"description": "Null: no revenue."})
    def get_margin_ratio(self, figure: MarginFigure) -> str | None:
        return None if figure.ratio_micro is None else format_scaled(figure.ratio_micro, 6)


class ProjectionView(CustomerView):
    required_scopes = {"GET": "read"}
    tags = ["margins"]

    @extend_schema(responses=ProjectionSerializer)
    def get(self, request: Request, key: str) -> Response:
        """What the gate's margin guard goes by: the period projected from its use so far, as last worked out.

        Only customers with a guard have one, within half a minute of their use.
        """
        customer = self.customer()
        figure = MarginFigure.objects.filter(customer_id=customer.pk).first()
        if figure is None:
            raise MarginNotProjected("no guard is in force for it, or nothing has happened in this period")
        return Response(ProjectionSerializer(figure).data)


def _known(action: str) -> str:
    if action not in MarginGuard.Action.values:
        raise MarginGuardUnknown(f"{action!r} is none of {', '.join(MarginGuard.Action.values)}")
    return action
