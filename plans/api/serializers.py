"""The catalogue in JSON: credits and money as decimal strings, everything by key."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from access.fields import CreditsField, MoneyField
from plans.models import AIModel, Feature, ModelTier, Plan, PlanEntitlement, PlanLimit, PlanVersion, TopUpPack
from plans.terms import limit_in_unit

_AMOUNT = {"type": "string", "format": "decimal"}


class FeatureSerializer(serializers.Serializer[Feature]):
    """A keyed capability of the product."""

    key = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Feature.Kind.values)
    description = serializers.CharField()


class TierSerializer(serializers.Serializer[ModelTier]):
    """A rank of models; an entitlement allows its own and every lower one."""

    key = serializers.CharField()
    name = serializers.CharField()
    rank = serializers.IntegerField(help_text="Higher is dearer.")


class ModelSerializer(serializers.Serializer[AIModel]):
    """A family of provider model ids that is sold as one."""

    key = serializers.CharField()
    name = serializers.CharField()
    provider = serializers.CharField()
    tier = serializers.CharField(source="tier.key")
    aliases = serializers.ListField(child=serializers.CharField(), help_text="Other ids of the same model.")


class AllowanceSerializer(serializers.Serializer[PlanVersion]):
    """Included credits."""

    credits = CreditsField(source="included_microcredits")
    renews = serializers.ChoiceField(choices=PlanVersion.Renewal.values, source="allowance_renewal")
    rollover_max = CreditsField(source="rollover_max_microcredits", help_text="What may move into the next period.")


class OverageSerializer(serializers.Serializer[PlanVersion]):
    """Use beyond what is left."""

    credit_price = serializers.SerializerMethodField()
    spend_cap = CreditsField(source="spend_cap_microcredits", allow_null=True, help_text="Per period; null: none.")
    invoice_at = CreditsField(
        source="overage_invoice_at_microcredits",
        allow_null=True,
        help_text="Invoiced as soon as it reaches this; null: at the period's end.",
    )

    @extend_schema_field(
        {
            "type": ["object", "null"],
            "description": "What a credit costs; finer than the currency's smallest coin. Null: no overage.",
            "required": ["amount", "currency"],
            "properties": {"amount": _AMOUNT | {"example": "0.012"}, "currency": {"type": "string"}},
        }
    )
    def get_credit_price(self, version: PlanVersion) -> dict[str, str] | None:
        price = version.overage_price
        if price is None:
            return None
        return {"amount": f"{price.amount.normalize():f}", "currency": str(price.currency)}


class GraceSerializer(serializers.Serializer[PlanVersion]):
    """What a subscriber may do whose payment is overdue."""

    policy = serializers.ChoiceField(
        choices=PlanVersion.Grace.values,
        source="grace",
        help_text="keep: everything; soft_limit: what is there, but no overage; block: nothing.",
    )
    days = serializers.IntegerField(source="grace_days", help_text="How long nothing changes before that.")


@extend_schema_serializer(component_name="PlanEntitlement")
class EntitlementSerializer(serializers.Serializer[PlanEntitlement]):
    """A feature the plan includes."""

    feature = serializers.CharField(source="feature.key")
    max_tier = serializers.SerializerMethodField()
    at_limit = serializers.ChoiceField(choices=PlanEntitlement.AtLimit.values)
    config = serializers.JSONField(allow_null=True, help_text="The value of a static feature.")

    @extend_schema_field({"type": ["string", "null"], "description": "Null: every tier."})
    def get_max_tier(self, entitlement: PlanEntitlement) -> str | None:
        return None if entitlement.max_tier is None else entitlement.max_tier.key


@extend_schema_serializer(component_name="PlanLimit")
class LimitSerializer(serializers.Serializer[PlanLimit]):
    """Something besides the balance that says no, or warns."""

    key = serializers.CharField()
    scope = serializers.ChoiceField(choices=PlanLimit.Scope.values)
    feature = serializers.CharField(source="feature.key", default=None, allow_null=True)
    tier = serializers.CharField(source="tier.key", default=None, allow_null=True)
    unit = serializers.ChoiceField(choices=PlanLimit.Unit.values)
    window = serializers.ChoiceField(choices=PlanLimit.Window.values)
    kind = serializers.ChoiceField(choices=PlanLimit.Kind.values)
    value = serializers.SerializerMethodField("write_value")
    warn_at_percent = serializers.ListField(child=serializers.IntegerField())

    @extend_schema_field(_AMOUNT | {"description": "In the unit; cost is in US dollars."})
    def write_value(self, limit: PlanLimit) -> str:
        return f"{limit_in_unit(limit.value, limit.unit):f}"


@extend_schema_serializer(component_name="PlanVersionOnSale")
class PlanVersionSerializer(serializers.Serializer[PlanVersion]):
    """What a new subscriber gets, for as long as they stay on this version."""

    number = serializers.IntegerField()
    price = MoneyField()
    interval = serializers.ChoiceField(choices=PlanVersion.Interval.values)
    rate_card = serializers.CharField(source="rate_card.key")
    allowance = AllowanceSerializer(source="*")
    overage = OverageSerializer(source="*")
    grace = GraceSerializer(source="*")
    unpriced = serializers.ChoiceField(choices=PlanVersion.Unpriced.values)
    entitlements = EntitlementSerializer(many=True)
    fallbacks = serializers.SerializerMethodField()
    limits = LimitSerializer(many=True)

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_fallbacks(self, version: PlanVersion) -> list[str]:
        """Models in the order they are tried when a dearer one is refused."""
        return [step.model.key for step in version.fallbacks.all()]


@extend_schema_serializer(component_name="PlanOnSale")
class PlanSerializer(serializers.Serializer[Plan]):
    """A plan and the version of it that is on sale. Subscribers of older versions keep theirs."""

    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    version = serializers.SerializerMethodField()

    @extend_schema_field(PlanVersionSerializer)
    def get_version(self, plan: Plan) -> dict[str, Any]:
        (version,) = plan.on_sale  # type: ignore[attr-defined] # plans.queries.on_sale
        return PlanVersionSerializer(version).data


class TopUpPackSerializer(serializers.Serializer[TopUpPack]):
    """Credits for sale."""

    key = serializers.CharField()
    name = serializers.CharField()
    credits = CreditsField(source="microcredits")
    bonus = CreditsField(source="bonus_microcredits", help_text="On top, for free.")
    price = MoneyField()
    expires_after_days = serializers.IntegerField(allow_null=True, help_text="Null: never.")


class CatalogueSerializer(serializers.Serializer[Any]):
    """Everything that is on sale."""

    features = FeatureSerializer(many=True)
    tiers = TierSerializer(many=True)
    models = ModelSerializer(many=True)
    plans = PlanSerializer(many=True)
    top_up_packs = TopUpPackSerializer(many=True)
