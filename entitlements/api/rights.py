"""GET /v1/customers/{key}/entitlements: what the customer may do now."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from entitlements.api.base import CustomerView
from entitlements.queries.limits import in_unit
from entitlements.queries.rights import Right, rights_of
from entitlements.services.accounts import read_account
from plans.catalogue import Catalogue
from plans.models import PlanEntitlement, PlanLimit
from plans.terms import LimitTerms


class LimitSerializer(serializers.Serializer[LimitTerms]):
    """Something besides the balance that says no, or warns."""

    key = serializers.CharField()
    scope = serializers.ChoiceField(choices=PlanLimit.Scope.values)
    feature = serializers.SerializerMethodField()
    tier = serializers.SerializerMethodField()
    unit = serializers.ChoiceField(choices=PlanLimit.Unit.values)
    window = serializers.ChoiceField(choices=PlanLimit.Window.values)
    kind = serializers.ChoiceField(choices=PlanLimit.Kind.values)
    value = serializers.SerializerMethodField("write_value")
    warn_at_percent = serializers.ListField(child=serializers.IntegerField())

    @extend_schema_field({"type": ["string", "null"], "description": "Null: every feature counts."})
    def get_feature(self, limit: LimitTerms) -> str | None:
        catalogue: Catalogue = self.context["catalogue"]
        feature = catalogue.features_by_id.get(limit.feature_id or 0)
        return feature.key if feature else None

    @extend_schema_field({"type": ["string", "null"], "description": "Null: models of every tier count."})
    def get_tier(self, limit: LimitTerms) -> str | None:
        catalogue: Catalogue = self.context["catalogue"]
        return next((tier.key for tier in catalogue.tiers.values() if tier.id == limit.tier_id), None)

    def write_value(self, limit: LimitTerms) -> str:
        """A decimal string in the unit: calls, tokens, credits or US dollars."""
        return in_unit(limit.unit, limit.value)


class RightSerializer(serializers.Serializer[Right]):
    """The customer's standing with one feature."""

    feature = serializers.CharField(source="feature.key")
    name = serializers.CharField(source="feature.name")
    kind = serializers.CharField(source="feature.kind")
    allowed = serializers.BooleanField()
    source = serializers.ChoiceField(  # type: ignore[assignment] # DRF takes declared fields off the class
        choices=("plan", "customer"), help_text="Whose entitlement decides."
    )
    max_tier = serializers.CharField(allow_null=True, help_text="Null: every tier.")
    at_limit = serializers.ChoiceField(choices=PlanEntitlement.AtLimit.values)
    config = serializers.JSONField(allow_null=True, help_text="The value of a static feature.")
    models = serializers.ListField(child=serializers.CharField(), help_text="Cheapest tier first.")
    limits = LimitSerializer(many=True)


class Rights(serializers.Serializer[Any]):
    data = RightSerializer(many=True)  # type: ignore[assignment] # DRF takes declared fields off the class


class EntitlementsView(CustomerView):
    required_scopes = {"GET": "read"}

    @extend_schema(responses=Rights)
    def get(self, request: Request, key: str) -> Response:
        """Every feature of the customer's plan and of their own entitlements, as a check would decide now."""
        account, reference = read_account(self.key, self.now)
        rights: Any = rights_of(account, reference.catalogue)
        context = {"catalogue": reference.catalogue}
        return Response({"data": RightSerializer(rights, many=True, context=context).data})
