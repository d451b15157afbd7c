"""GET /v1/customers/{key}/balance and /ledger."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import CreditsField, InstantField
from access.views import ListView
from entitlements.api.base import CustomerView
from entitlements.core.words import Bucket, EntryKind
from entitlements.models import LedgerEntry
from entitlements.queries.ledger import entries_of, event_keys
from entitlements.services.accounts import BalanceView as BalanceState
from entitlements.services.accounts import read_balance
from plans.models import PlanVersion


class Period(serializers.Serializer[Any]):
    start = InstantField()
    end = InstantField()


class PlanVersionRef(serializers.Serializer[Any]):
    key = serializers.CharField(source="plan.key")
    version = serializers.IntegerField(source="number")


@extend_schema_serializer(component_name="CustomerBalance")
class BalanceSerializer(serializers.Serializer[BalanceState]):
    """Credits as decimal strings; available = posted − held − debt."""

    posted = CreditsField(help_text="What is left of the grants in force.")
    held = CreditsField(help_text="Set aside by open holds.")
    debt = CreditsField(help_text="Used beyond what was available under a hard limit; the next grant pays it first.")
    overage = CreditsField(help_text="Used beyond what was available under a soft limit, this period; to be invoiced.")
    available = CreditsField(help_text="What may be spent now; below zero while in debt.")
    valid_until = InstantField(allow_null=True, help_text="When it next changes by itself: an expiry or renewal.")
    period = serializers.SerializerMethodField()
    plan = serializers.SerializerMethodField()

    @extend_schema_field(Period(allow_null=True))
    def get_period(self, balance: BalanceState) -> dict[str, Any] | None:
        if balance.period_start is None:
            return None
        return Period({"start": balance.period_start, "end": balance.period_end}).data

    @extend_schema_field(PlanVersionRef(allow_null=True))
    def get_plan(self, balance: BalanceState) -> dict[str, Any] | None:
        if balance.plan_version_id is None:
            return None
        return PlanVersionRef(PlanVersion.objects.select_related("plan").get(pk=balance.plan_version_id)).data


class BalanceView(CustomerView):
    required_scopes = {"GET": "read"}

    @extend_schema(responses=BalanceSerializer)
    def get(self, request: Request, key: str) -> Response:
        """The balance now: every write answered before shows in it, and so does every expiry and renewal due."""
        return Response(BalanceSerializer(read_balance(self.key, self.now)).data)


class EntrySerializer(serializers.Serializer[LedgerEntry]):
    """An immutable signed movement of credits."""

    seq = serializers.IntegerField(help_text="Counts the customer's entries without gaps.")
    kind = serializers.SerializerMethodField()
    bucket = serializers.SerializerMethodField()
    credits = CreditsField(
        source="amount_microcredits", help_text="Signed. All entries sum to posted − debt − overage."
    )
    grant = serializers.UUIDField(source="grant_id", allow_null=True)
    event = serializers.SerializerMethodField()
    effective_at = InstantField(help_text="When it counts from.")
    recorded_at = InstantField(help_text="When it was written.")

    @extend_schema_field({"type": "string", "enum": [kind.name.lower() for kind in EntryKind]})
    def get_kind(self, entry: LedgerEntry) -> str:
        return EntryKind(entry.kind).name.lower()

    @extend_schema_field({"type": "string", "enum": [bucket.name.lower() for bucket in Bucket]})
    def get_bucket(self, entry: LedgerEntry) -> str:
        return Bucket(entry.bucket).name.lower()

    @extend_schema_field({"type": ["string", "null"], "description": "The key of the usage event it charged."})
    def get_event(self, entry: LedgerEntry) -> str | None:
        keys: Mapping[UUID | None, str] = self.context.get("event_keys", {})
        return keys.get(entry.event_digest)


class LedgerView(CustomerView, ListView):
    """The customer's ledger, newest first."""

    serializer_class = EntrySerializer
    ordering = ("-seq",)

    def get_queryset(self) -> "QuerySet[LedgerEntry]":
        return entries_of(self.up_to_date().pk)

    def get_serializer(self, entries: Any = (), **kwargs: Any) -> Any:
        if entries:
            kwargs["context"] = {"event_keys": event_keys(entries[0].customer_id, entries)}
        return EntrySerializer(entries, **kwargs)
