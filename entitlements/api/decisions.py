"""GET /v1/decisions/{id} and /v1/customers/{key}/decisions."""

from typing import Any, Final

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import InstantField, TextField
from access.views import ListView, StrictSerializer
from entitlements.api.base import CustomerView, NamedView
from entitlements.models import Decision
from entitlements.queries.decisions import answer_of, decisions_of, id_of
from entitlements.services.decisions import DecisionUnknown

DECISIONS: Final = ("allow", "downgrade", "deny")


@extend_schema_field({"type": "string", "example": "decision_2a_0192f0c1d2e37a4b8c5d6e7f8091a2b3"})
class DecisionIdField(serializers.Field[Any, str, str, Any]):
    """The public id of a row of `decision`. A hold's decision has the hold's id behind the prefix."""

    def to_representation(self, decision: Decision) -> str:
        return id_of(decision)


class DecisionSerializer(serializers.Serializer[Decision]):
    """A hold, a downgrade or a denial, with the answer its caller got."""

    id = DecisionIdField(source="*")
    decided_at = InstantField()
    decision = serializers.ChoiceField(choices=DECISIONS)
    reason = serializers.CharField()
    catalogue_revision = serializers.IntegerField(source="revision", help_text="What was sold when it was decided.")
    answer = serializers.SerializerMethodField()

    @extend_schema_field({"$ref": "#/components/schemas/CheckAnswer"})
    def get_answer(self, decision: Decision) -> dict[str, Any]:
        return answer_of(decision)


class DecisionRecord(DecisionSerializer):
    """A decision with everything it was decided from: the same inputs give the same answer.

    The inputs are shown as the pure decision reads them: amounts are microcredits and nano-USD.
    """

    customer = serializers.SerializerMethodField()
    question = serializers.DictField(help_text="The check, as it was read.")
    account = serializers.DictField(help_text="The account, brought up to date: balance, runs, limit counters.")

    @extend_schema_field({"type": "string"})
    def get_customer(self, decision: Decision) -> str:
        key: str = decision.account["key"]
        return key


class DecisionView(NamedView):
    tags = ["decisions"]
    required_scopes = {"GET": "read"}
    kind, unknown = "decision", DecisionUnknown

    @extend_schema(responses=DecisionRecord)
    def get(self, request: Request, **named: str) -> Response:
        """The decision with its inputs. `manage.py replay_decision` decides them again."""
        customer, decision_id = self.named()
        decision = decisions_of(customer.pk).filter(id=decision_id).first()
        if decision is None:
            raise self.missing()
        return Response(DecisionRecord(decision).data)


class DecisionsQuery(StrictSerializer):
    decision = serializers.ChoiceField(choices=DECISIONS, required=False)
    reason = TextField(required=False, help_text="For example insufficient_credits or limit_reached.")


class DecisionsView(CustomerView, ListView):
    """What was held, downgraded or denied, newest first. An allowed check without a hold leaves no record."""

    serializer_class = DecisionSerializer
    query_serializer = DecisionsQuery
    ordering = ("-decided_at", "id")

    def get_queryset(self) -> "QuerySet[Decision]":
        return decisions_of(self.customer().pk).filter(**self.query)
