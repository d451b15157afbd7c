"""GET /v1/customers/{key}/limits: how far each limit is used now."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import InstantField, TextField
from access.views import StrictSerializer
from entitlements.api.base import CustomerView
from entitlements.api.rights import LimitSerializer
from entitlements.queries.limits import MOST_NEAR, Standing, in_unit, standings_of
from entitlements.services.accounts import read_account
from plans.terms import SHARED_SCOPES

_AMOUNT: Final = {"type": "string", "example": "12.5"}


class StandingSerializer(serializers.Serializer[Standing]):
    """A limit as it stands for one of those it binds. Amounts are decimal strings in its unit."""

    limit = LimitSerializer()
    user = serializers.CharField(allow_null=True, help_text="Whose it is, where each user has the limit.")
    run = serializers.CharField(allow_null=True, help_text="The run's key, where each run has the limit.")
    used = serializers.SerializerMethodField()
    held = serializers.SerializerMethodField()
    left = serializers.SerializerMethodField()
    resets_at = InstantField(allow_null=True, help_text="Null: never.")
    reached_percent = serializers.IntegerField(
        allow_null=True, help_text="The highest warning threshold reached, at ≥."
    )
    counted_by = serializers.SerializerMethodField()

    @extend_schema_field({**_AMOUNT, "type": ["string", "null"], "description": "Null: each draw stands alone."})
    def get_used(self, standing: Standing) -> str | None:
        return None if standing.used is None else in_unit(standing.limit.unit, standing.used)

    @extend_schema_field({**_AMOUNT, "description": "Claimed by open holds; it counts like what is used."})
    def get_held(self, standing: Standing) -> str:
        return in_unit(standing.limit.unit, standing.held)

    @extend_schema_field({**_AMOUNT, "description": "What the next call may take at most."})
    def get_left(self, standing: Standing) -> str:
        return in_unit(standing.limit.unit, standing.left)

    @extend_schema_field(
        {
            "type": "string",
            "enum": ["counter", "rollup"],
            "description": "counter: exact, moved in the transaction of each call. rollup: what all customers used, "
            "without what is held; the gate sees it some seconds later.",
        }
    )
    def get_counted_by(self, standing: Standing) -> str:
        return "rollup" if standing.limit.scope in SHARED_SCOPES else "counter"


class Standings(serializers.Serializer[Any]):
    data = StandingSerializer(many=True)  # type: ignore[assignment] # DRF takes declared fields off the class


class LimitsQuery(StrictSerializer):
    user = TextField(required=False, help_text=f"Whose limits per user to show. Default: the {MOST_NEAR} nearest.")
    run = TextField(
        required=False, help_text=f"The key of the run whose limits to show. Default: the {MOST_NEAR} nearest."
    )


class LimitsView(CustomerView):
    required_scopes = {"GET": "read"}
    query_serializer = LimitsQuery

    @extend_schema(responses=Standings)
    def get(self, request: Request, key: str) -> Response:
        """Every limit of the customer's plan as it stands now, by the counters and windows the gate decides from."""
        account, reference = read_account(self.key, self.now)
        standings: Any = standings_of(account, reference.catalogue, self.now, **self.query)
        shown = StandingSerializer(standings, many=True, context={"catalogue": reference.catalogue})
        return Response({"data": shown.data})
