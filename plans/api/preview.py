"""POST /v1/catalogue/preview: what an action would cost in credits. Reads only."""

from typing import Any

import msgspec
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import CreditsField, InstantField, TextField
from access.views import ApiView, StrictSerializer
from kernel.clock import utc_now
from kernel.usage import FIELDS, MAX_COUNT, InconsistentUsage, Usage, check
from plans.services.preview import Preview, preview_by_card, preview_by_plan


@extend_schema_field(
    {
        "type": "object",
        "description": "Counts in the neutral form: totals contain their parts. All default to 0.",
        "properties": {name: {"type": "integer", "minimum": 0, "maximum": MAX_COUNT} for name in FIELDS},
        "additionalProperties": False,
        "example": {"input_tokens": 1000, "cache_read_tokens": 800, "output_tokens": 100},
    }
)
class UsageField(serializers.Field[Usage, Any, dict[str, int], Any]):
    """The neutral usage form, consistent in itself."""

    def to_internal_value(self, data: Any) -> Usage:
        try:
            usage = msgspec.convert(data, Usage)
            check(usage)
        except msgspec.ValidationError as error:
            reason, _, place = str(error).partition(" - at `$.")
            raise serializers.ValidationError({place.rstrip("`"): [reason]} if place else reason) from None
        except InconsistentUsage as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from None
        return usage


class PreviewRequest(StrictSerializer):
    """An action, and whose prices: a plan on sale or a rate card, as of an instant."""

    plan = TextField(required=False, max_length=64)
    rate_card = TextField(required=False, max_length=64)
    at = InstantField(required=False, help_text="The instant that picks the card's version; now if left out.")
    feature = TextField(max_length=64)
    model = TextField(required=False, max_length=256, help_text="As a provider reports it. Left out: no model.")
    provider = TextField(required=False, max_length=32)
    usage = UsageField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("plan" in attrs) == ("rate_card" in attrs):
            raise serializers.ValidationError({"plan": ["name either a plan or a rate card"]})
        return attrs


class ChargeLineSerializer(serializers.Serializer[Any]):
    """What one kind of usage adds, exactly."""

    kind = serializers.CharField()
    quantity = serializers.IntegerField()
    credits_per_million = CreditsField(
        source="microcredits_per_million", allow_null=True, help_text="Null: the rate has none for it, so it is free."
    )
    credits = serializers.CharField(help_text="Exact, before rounding.")


class PreviewSerializer(serializers.Serializer[Preview]):
    """A charge and how it comes about."""

    credits = CreditsField(source="breakdown.microcredits", help_text="What would be charged.")
    feature = serializers.CharField(source="feature.key")
    model = serializers.SerializerMethodField()
    tier = serializers.SerializerMethodField()
    rate_card = serializers.CharField(source="breakdown.card.card_key")
    rate_card_version = serializers.IntegerField(source="breakdown.card.number")
    rate = serializers.CharField(source="applies_to", help_text="What the row that priced it applies to.")
    action = CreditsField(source="breakdown.action_microcredits")
    lines = ChargeLineSerializer(many=True, source="breakdown.lines")
    exact = serializers.CharField(source="breakdown.exact_credits", help_text="Action and lines, before rounding.")
    rounding = serializers.CharField(source="breakdown.card.rounding")
    round_to = CreditsField(source="breakdown.card.increment")
    minimum = CreditsField(source="breakdown.rate.minimum_microcredits")
    minimum_applies = serializers.BooleanField(source="breakdown.minimum_applies")

    @extend_schema_field({"type": ["string", "null"], "description": "The family the reported id belongs to."})
    def get_model(self, preview: Preview) -> str | None:
        return None if preview.model is None else preview.model.key

    @extend_schema_field({"type": ["string", "null"]})
    def get_tier(self, preview: Preview) -> str | None:
        return None if preview.model is None else preview.model.tier_key


class PreviewView(ApiView):
    required_scopes = {"POST": "read"}

    @extend_schema(request=PreviewRequest, responses=PreviewSerializer)
    def post(self, request: Request) -> Response:
        """Price an action without doing it: which rate applies, what each kind of usage adds, and the rounding."""
        asked = self.read(PreviewRequest, request)
        at = asked.pop("at", None) or utc_now()
        preview = preview_by_plan if "plan" in asked else preview_by_card
        return Response(PreviewSerializer(preview(at=at, **asked)).data)
