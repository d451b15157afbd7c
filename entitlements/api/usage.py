"""GET /v1/customers/{key}/usage: the events, or sums of them."""

from datetime import UTC, datetime
from typing import Any, Final

from django.db.models import QuerySet
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import CreditsField, InstantField, TextField, UsdField
from access.views import ListView, StrictSerializer
from entitlements.api.base import CustomerView
from entitlements.queries.usage import GROUPS, events_of, feature_keys, sums_of
from kernel.errors import InvalidInput
from kernel.usage import COLUMN_FIELDS
from metering.models import UsageEvent
from plans.models import Feature

COUNTS: Final = ("calls", "memoised_calls", "unpriced_calls", "unrated_calls", *COLUMN_FIELDS)


@extend_schema_field({"type": "string", "examples": ["2026-11-15", "2026-11-15T12:00:00Z"]})
class MomentField(InstantField):
    """An instant, or a date for its midnight in UTC."""

    def to_internal_value(self, data: Any) -> datetime:
        return super().to_internal_value(f"{data}T00:00:00Z" if isinstance(data, str) and len(data) == 10 else data)


class UsageQuery(StrictSerializer):
    group_by = serializers.ChoiceField(choices=tuple(GROUPS), required=False, help_text="Sums instead of events.")
    feature = TextField(required=False, help_text="A feature's key.")
    model = TextField(required=False, help_text="A model's key, or the reported id where it has none.")
    user = TextField(required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`from` is a word of Python's, so these two cannot be declared like the rest."""
        start = MomentField(source="start", required=False, help_text="The first instant or day (UTC).")
        end = MomentField(source="end", required=False, help_text="The instant or day before which to stop.")
        return {**super().get_fields(), "from": start, "to": end}


class EventSerializer(serializers.Serializer[UsageEvent]):
    """What happened, with its charge and its cost as stamped then."""

    key = serializers.CharField()
    occurred_at = InstantField()
    received_at = InstantField()
    feature = serializers.SerializerMethodField()
    action = serializers.CharField()
    user = serializers.CharField(source="user_key")
    run = serializers.CharField(source="run_key")
    provider = serializers.CharField()
    model = serializers.CharField()
    reported_model = serializers.CharField()
    processing = serializers.CharField()
    region = serializers.CharField()
    memoised = serializers.BooleanField()
    usage = serializers.SerializerMethodField()
    credits = CreditsField(source="charged_microcredits", allow_null=True, help_text="Null: no rate matched.")
    cost_usd = UsdField(source="cost_nanousd", allow_null=True, help_text="Null: nobody knows the cost.")
    computed_cost_usd = UsdField(source="computed_cost_nanousd", allow_null=True)
    reported_cost_usd = UsdField(source="reported_cost_nanousd", allow_null=True)
    cost_card = serializers.CharField()
    tags = serializers.JSONField(allow_null=True)

    def get_feature(self, event: UsageEvent) -> str | None:
        features: dict[int, str] = self.context["feature_keys"]
        return features.get(event.feature_id)

    def get_usage(self, event: UsageEvent) -> dict[str, int]:
        """The counts that are not 0, in the neutral form."""
        counts = {name: getattr(event, name) for name in COLUMN_FIELDS} | (event.other_usage or {})
        return {name: count for name, count in counts.items() if count}


class SumsSerializer(serializers.Serializer[dict[str, Any]]):
    """The sums of one group: a day, or a feature's, model's or user's key (null where events name none)."""

    group = serializers.SerializerMethodField()
    credits = CreditsField(source="charged_microcredits")
    cost_usd = UsdField(source="cost_nanousd", help_text="Of the priced calls only; see unpriced_calls.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**super().get_fields(), **{name: serializers.IntegerField() for name in COUNTS}}

    def get_group(self, sums: dict[str, Any]) -> str | None:
        group_by: str = self.context["group_by"]
        value = sums[GROUPS[group_by]]
        if group_by == "feature":
            features: dict[int, str] = self.context["feature_keys"]
            return features.get(value)
        return str(value) or None


class EventPage(serializers.Serializer[Any]):
    data = EventSerializer(many=True)  # type: ignore[assignment] # DRF takes declared fields off the class
    next = serializers.URLField(allow_null=True)


class SumsPage(serializers.Serializer[Any]):
    data = SumsSerializer(many=True)  # type: ignore[assignment] # DRF takes declared fields off the class
    next = serializers.URLField(allow_null=True)


class UsageView(CustomerView, ListView):
    query_serializer = UsageQuery

    @extend_schema(
        responses=PolymorphicProxySerializer(
            "UsagePage", serializers=[EventPage, SumsPage], resource_type_field_name=None, many=False
        )
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The customer's events of [from, to), newest first; with `group_by`, sums of them instead.

        Sums are of whole UTC days and in the order of the group's key.
        """
        return super().get(request, *args, **kwargs)

    @property
    def ordering(self) -> tuple[str, ...]:  # type: ignore[override] # the two lists differ
        group_by = self.query.get("group_by")
        return (GROUPS[group_by],) if group_by else ("-occurred_at", "key_digest")

    def get_queryset(self) -> "QuerySet[Any, Any]":
        filters: dict[str, Any] = {
            name: self.query[name] for name in ("start", "end", "model", "user") if name in self.query
        }
        if "feature" in self.query:
            filters["feature_id"] = _feature_id(self.query["feature"])
        customer_id = self.customer().pk
        if group_by := self.query.get("group_by"):
            _check_whole_days(self.query)
            return sums_of(customer_id, group_by=group_by, **filters)
        return events_of(customer_id, **filters)

    def get_serializer(self, rows: Any = (), **kwargs: Any) -> Any:
        group_by = self.query.get("group_by")
        if not group_by:
            features = feature_keys({event.feature_id for event in rows})
            return EventSerializer(rows, context={"feature_keys": features}, **kwargs)
        features = feature_keys({sums["feature_id"] for sums in rows}) if group_by == "feature" else {}
        return SumsSerializer(rows, context={"group_by": group_by, "feature_keys": features}, **kwargs)


def _feature_id(key: str) -> int:
    found = Feature.objects.filter(key=key).values_list("id", flat=True).first()
    if found is None:
        raise InvalidInput(f"no feature has the key {key!r}", field="feature")
    return found


def _check_whole_days(query: dict[str, Any]) -> None:
    for name, value in (("from", query.get("start")), ("to", query.get("end"))):
        if value is not None and value != datetime.combine(value.date(), datetime.min.time(), UTC):
            raise InvalidInput("must be a whole UTC day with group_by", field=name)
