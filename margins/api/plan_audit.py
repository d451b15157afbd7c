"""GET /v1/plans/{key}/audit: what a version of a plan can cost, and what speaks against selling it."""

from fractions import Fraction

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import CreditsField, TextField
from access.views import ApiView, StrictSerializer
from kernel.clock import utc_now
from kernel.units import format_scaled
from margins.plan_audit.loading import audit_version, find_version, read_number
from margins.plan_audit.terms import NANO, Audit, Case, MixLine
from margins.units import ratio
from plans.auditing import SEVERITIES, Finding

_AMOUNT = {"type": ["string", "null"], "format": "decimal"}


class FindingSerializer(serializers.Serializer[Finding]):
    """Something that speaks against selling the plan, or should be known."""

    severity = serializers.ChoiceField(choices=SEVERITIES)
    code = serializers.CharField(help_text="Stable: unlimited_use, tier_below_cost, overage_below_cost …")
    detail = serializers.CharField()
    remedy = serializers.CharField(help_text="What to change.")
    models = serializers.ListField(child=serializers.CharField(), help_text="The models it rests on.")
    limits = serializers.ListField(child=serializers.CharField(), help_text="The limits it rests on.")


class MixLineSerializer(serializers.Serializer[MixLine]):
    """So many calls of one kind."""

    feature = serializers.CharField()
    model = serializers.CharField()
    calls = serializers.IntegerField()
    input_tokens = serializers.IntegerField(help_text="Of each call.")
    output_tokens = serializers.IntegerField(help_text="Of each call.")
    credits = CreditsField(source="microcredits", help_text="All of them together.")
    cost = serializers.SerializerMethodField()

    @extend_schema_field(_AMOUNT)
    def get_cost(self, line: MixLine) -> str | None:
        return _amount(Fraction(line.cost_nano))


class CaseSerializer(serializers.Serializer[Case]):
    """What one customer costs and earns in a billing period."""

    cost = serializers.SerializerMethodField()
    revenue = serializers.SerializerMethodField()
    margin = serializers.SerializerMethodField()
    margin_ratio = serializers.SerializerMethodField()
    held_back_by = serializers.ListField(child=serializers.CharField(), source="limits")
    mix = MixLineSerializer(many=True)

    @extend_schema_field(_AMOUNT | {"description": "Null: nothing bounds it."})
    def get_cost(self, case: Case) -> str | None:
        return _amount(case.cost_nano)

    @extend_schema_field(_AMOUNT)
    def get_revenue(self, case: Case) -> str | None:
        return _amount(case.revenue_nano)

    @extend_schema_field(_AMOUNT)
    def get_margin(self, case: Case) -> str | None:
        return _amount(case.margin_nano)

    @extend_schema_field(_AMOUNT | {"description": "Margin ÷ revenue, to six places."})
    def get_margin_ratio(self, case: Case) -> str | None:
        return margin_ratio(case)


class PlanAuditSerializer(serializers.Serializer[Audit]):
    """A plan version at its own limits, for one customer and billing period."""

    plan = serializers.CharField(source="plan.plan_key")
    version = serializers.IntegerField(source="plan.number")
    status = serializers.CharField(source="plan.status")
    period = serializers.CharField(source="plan.interval")
    currency = serializers.CharField(help_text="Of every amount here.")
    credit_earns = serializers.SerializerMethodField()
    worst_cost = CaseSerializer(source="dearest", help_text="The most it can cost.")
    worst_margin = CaseSerializer(source="thinnest", help_text="The least it can leave.")
    p50 = CaseSerializer(help_text="The half-way customer.")
    p95 = CaseSerializer(help_text="The heavy customer, one in twenty.")
    measured_subscribers = serializers.SerializerMethodField()
    findings = FindingSerializer(many=True, help_text="A blocking one needs an acknowledgement to publish.")

    @extend_schema_field(_AMOUNT | {"description": "The price over the credits it includes."})
    def get_credit_earns(self, audit: Audit) -> str | None:
        return _amount(audit.credit_earns_nano)

    @extend_schema_field({"type": ["integer", "null"], "description": "Null: nobody uses it, p50 and p95 are assumed."})
    def get_measured_subscribers(self, audit: Audit) -> int | None:
        return None if audit.use is None else audit.use.subscribers


class PlanAuditQuery(StrictSerializer):
    version = TextField(required=False, help_text="Its number. Default: the draft, else what is on sale.")


class PlanAuditView(ApiView):
    required_scopes = {"GET": "read"}
    query_serializer = PlanAuditQuery
    tags = ["margins"]

    @extend_schema(
        responses=PlanAuditSerializer,
        examples=[
            OpenApiExample(
                "A finding",
                response_only=True,
                value={
                    "findings": [
                        {
                            "severity": "blocking",
                            "code": "tier_below_cost",
                            "detail": "reasoning: an ordinary call of chat on gpt-5-pro costs us 0.004648 USD a "
                            "credit, and a credit earns 0.001317 USD (79 USD a month for 60000).",
                            "remedy": "Raise the rates of reasoning on the rate card, include fewer credits, or leave "
                            "reasoning out.",
                            "models": ["gpt-5-pro"],
                            "limits": [],
                        }
                    ]
                },
            )
        ],
    )
    def get(self, request: Request, key: str) -> Response:
        """What the plan can cost: at worst within its own limits, half-way and heavy, and what speaks against it."""
        version = find_version(key, read_number(self.query.get("version"), field="version"))
        return Response(PlanAuditSerializer(audit_version(version, now=utc_now())).data)


def margin_ratio(case: Case) -> str | None:
    """Margin ÷ revenue to six places; None without either."""
    margin, revenue = case.margin_nano, case.revenue_nano
    return None if margin is None or not revenue else ratio(round(margin), round(revenue))


def _amount(nano: Fraction | None) -> str | None:
    """An amount to the nano-unit: fractions of one come from shares, and are rounded here alone."""
    return None if nano is None else format_scaled(round(nano), len(str(NANO)) - 1)
