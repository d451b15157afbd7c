"""Margins as JSON: exact decimal strings, rows flat with what they were cut by."""

from collections.abc import Mapping
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.fields import CreditsField, InstantField
from margins.currencies import Converted, format_converted
from margins.margin import Amounts, Margin
from margins.queries.restated import Restated
from margins.recognition import RevenueKind
from margins.units import FEMTO_PER_NANO, format_femto

_DECIMAL: Final = {"type": "string", "format": "decimal", "pattern": r"^-?\d+(\.\d+)?$"}


@extend_schema_field(_DECIMAL | {"example": "199", "description": "An exact amount, to fifteen decimal places."})
class AmountField(serializers.Field[int, str, str, Any]):
    """Femto-units inside, a decimal string in JSON. For answers only."""

    def to_representation(self, value: int) -> str:
        return format_femto(value)


class RevenueFigures(serializers.Serializer[Amounts]):
    """Recognised revenue: earned in the period, whenever it was paid."""

    subscription = serializers.SerializerMethodField(help_text="Plan prices, earned evenly over their periods.")
    credits = serializers.SerializerMethodField(help_text="Bought credits that were used, at what was paid for them.")
    breakage = serializers.SerializerMethodField(help_text="Bought credits that expired unused.")
    overage = serializers.SerializerMethodField(help_text="Usage beyond the credits, at the plan's price.")
    reversal = serializers.SerializerMethodField(help_text="What refunds and disputes took of it again: negative.")
    total = AmountField(source="total_revenue")

    def _of(self, amounts: Amounts, kind: RevenueKind) -> str:
        return format_femto(amounts.revenue.get(kind, 0))

    @extend_schema_field(_DECIMAL)
    def get_subscription(self, amounts: Amounts) -> str:
        return self._of(amounts, RevenueKind.SUBSCRIPTION)

    @extend_schema_field(_DECIMAL)
    def get_credits(self, amounts: Amounts) -> str:
        return self._of(amounts, RevenueKind.CREDITS)

    @extend_schema_field(_DECIMAL)
    def get_breakage(self, amounts: Amounts) -> str:
        return self._of(amounts, RevenueKind.BREAKAGE)

    @extend_schema_field(_DECIMAL)
    def get_overage(self, amounts: Amounts) -> str:
        return self._of(amounts, RevenueKind.OVERAGE)

    @extend_schema_field(_DECIMAL)
    def get_reversal(self, amounts: Amounts) -> str:
        return self._of(amounts, RevenueKind.REVERSAL)


class LineFigures(serializers.Serializer[Any]):
    """What one line of COGS came to."""

    key = serializers.CharField(help_text="`inference`, or the key of one of our other cost lines.")
    name = serializers.CharField()
    amount = AmountField()


class CogsFigures(serializers.Serializer[Amounts]):
    """The cost of what was delivered, by line, dearest first."""

    lines = serializers.SerializerMethodField()
    total = AmountField(source="total_cogs")

    @extend_schema_field(LineFigures(many=True))
    def get_lines(self, amounts: Amounts) -> Any:
        names: Mapping[str, str] = self.context.get("line_names", {})
        dearest_first = sorted(amounts.cogs.items(), key=lambda line: (-line[1], line[0]))
        lines = [{"key": key, "name": names.get(key, key), "amount": cost} for key, cost in dearest_first if cost]
        return LineFigures(lines, many=True).data


class ForeignFigures(serializers.Serializer[Any]):
    """Money in another currency than the customer is billed in."""

    currency = serializers.CharField()
    revenue = RevenueFigures()
    cogs = CogsFigures()


class MissingRate(serializers.Serializer[Any]):
    """A currency that has no rate on some of the days."""

    currency = serializers.CharField()
    days = serializers.ListField(child=serializers.DateField())


class ReportedFigures(serializers.Serializer[Converted]):
    """Everything in the reporting currency, each day's money at that day's rate. Exact: rates have ten places."""

    currency = serializers.SerializerMethodField()
    revenue = serializers.SerializerMethodField()
    cogs = serializers.SerializerMethodField()
    gross_margin = serializers.SerializerMethodField(help_text="Null while `missing_rates` holds anything.")
    margin_ratio = serializers.CharField(allow_null=True)
    missing_rates = serializers.SerializerMethodField(help_text="What is left out for want of an exchange rate.")

    def get_currency(self, converted: Converted) -> str:
        currency: str = self.context["reporting_currency"]
        return currency

    @extend_schema_field(_DECIMAL)
    def get_revenue(self, converted: Converted) -> str:
        return format_converted(converted.revenue)

    @extend_schema_field(_DECIMAL)
    def get_cogs(self, converted: Converted) -> str:
        return format_converted(converted.cogs)

    @extend_schema_field(_DECIMAL | {"nullable": True})
    def get_gross_margin(self, converted: Converted) -> str | None:
        gross = converted.gross_margin
        return None if gross is None else format_converted(gross)

    @extend_schema_field(MissingRate(many=True))
    def get_missing_rates(self, converted: Converted) -> Any:
        days: dict[str, list[str]] = {}
        for currency, day in sorted(converted.missing):
            days.setdefault(currency, []).append(day.isoformat())
        return [{"currency": currency, "days": of} for currency, of in days.items()]


class MarginFigures(serializers.Serializer[Margin]):
    """Revenue, cost and gross margin of customers billed in `currency`."""

    currency = serializers.CharField(
        help_text="What the customers are billed in. Its figures are never added to another currency's."
    )
    revenue = RevenueFigures(source="own")
    cogs = CogsFigures(source="own")
    gross_margin = AmountField(allow_null=True, help_text="Null while `not_convertible` holds anything.")
    margin_ratio = serializers.CharField(
        allow_null=True, help_text="Gross margin ÷ revenue to six places: 0.882943 is 88.3 %. Null without revenue."
    )
    not_convertible = serializers.SerializerMethodField(
        help_text="What is in other currencies and therefore missing from the margin, such as inference in USD."
    )
    reported = ReportedFigures(help_text="In the reporting currency.")
    calls = serializers.IntegerField(source="usage.calls")
    unpriced_calls = serializers.IntegerField(
        source="usage.unpriced_calls", help_text="Calls whose supplier cost nobody knows: missing from COGS."
    )
    unrated_calls = serializers.IntegerField(
        source="usage.unrated_calls", help_text="Calls no rate matched: they charged nothing."
    )
    memoised_calls = serializers.IntegerField(source="usage.memoised_calls")
    tokens = serializers.IntegerField(source="usage.tokens", help_text="Input and output.")
    charged_credits = CreditsField(source="usage.charged_microcredits")
    completeness = serializers.CharField(
        allow_null=True, help_text="Share of calls that are priced, to six places. Null without calls."
    )

    @extend_schema_field(ForeignFigures(many=True))
    def get_not_convertible(self, margin: Margin) -> Any:
        foreign = [
            {"currency": currency, "revenue": amounts, "cogs": amounts}
            for currency, amounts in margin.not_convertible.items()
        ]
        return ForeignFigures(foreign, many=True, context=self.context).data


class RestatedFigures(serializers.Serializer[Any]):
    """By how much a day's figures changed after it was over: what a report made before `last_at` lacked."""

    day = serializers.DateField()
    currency = serializers.CharField(help_text="What the customers are billed in.")
    revenue = serializers.SerializerMethodField(help_text="Recorded after the day: late usage, corrections.")
    calls = serializers.IntegerField(help_text="Heard of after the day.")
    inference_usd = serializers.SerializerMethodField(
        help_text="The supplier cost of those calls, and what re-ratings moved of others."
    )
    last_at = InstantField()

    @extend_schema_field(_DECIMAL)
    def get_revenue(self, restated: Restated) -> str:
        return format_femto(restated.revenue_nano * FEMTO_PER_NANO)

    @extend_schema_field(_DECIMAL)
    def get_inference_usd(self, restated: Restated) -> str:
        return format_femto(restated.cost_nanousd * FEMTO_PER_NANO)
