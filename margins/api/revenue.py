"""GET /v1/revenue: billed, recognised, deferred."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import InstantField, TextField
from access.views import ApiView
from kernel.clock import utc_now
from margins.api.examples import REVENUE
from margins.api.figures import AmountField, RevenueFigures
from margins.api.query import PeriodQuery, customer_id_of
from margins.api.views import period_fields
from margins.margin import Amounts
from margins.period import period_of
from margins.queries.billed import Billed, BilledKind, billed
from margins.queries.margins import Scope
from margins.services.due import write_due_breakage
from margins.units import FEMTO_PER_NANO


class RevenueQuery(PeriodQuery):
    customer = TextField(required=False, help_text="One customer's key.")


class BilledFigures(serializers.Serializer[Any]):
    """What customers were asked to pay, before tax."""

    subscription = AmountField(help_text="Stripe's invoices; without Stripe, plan prices when their periods begin.")
    credits = AmountField(help_text="Packs, when they were paid.")
    overage = AmountField(help_text="When it was invoiced; without Stripe, when its period ended.")
    refunds = AmountField(help_text="What went back by refunds and disputes: negative.")
    total = AmountField()


class MoneyFigures(serializers.Serializer[Any]):
    """One currency's money: `deferred_before` + billed − recognised = `deferred_after`, to the last digit."""

    currency = serializers.CharField()
    billed = BilledFigures()
    recognised = RevenueFigures()
    deferred_before = AmountField(
        help_text="Billed before these days and not earned yet; negative: earned, not billed."
    )
    deferred_after = AmountField()


class RevenueReport(serializers.Serializer[Any]):
    """Money of the days [from, to), exact as of one instant, a row for each currency."""

    as_of = InstantField(help_text="The current day counts until then.")
    data = MoneyFigures(many=True)  # type: ignore[assignment] # DRF takes declared fields off the class

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return period_fields() | super().get_fields()


class RevenueView(ApiView):
    required_scopes = {"GET": "read"}
    query_serializer = RevenueQuery
    tags = ["margins"]

    @extend_schema(responses=RevenueReport, examples=[REVENUE])
    def get(self, request: Request) -> Response:
        """What was billed beside what was earned, and what of it is deferred."""
        now = utc_now()
        period = period_of(self.query.get("start"), self.query.get("end"), now)
        customer = self.query.get("customer")
        customer_ids = (customer_id_of(customer),) if customer else None
        write_due_breakage(now)
        rows = billed(Scope(period.start, period.end, customer_ids), now=now)
        return Response(
            {
                "from": period.start.isoformat(),
                "to": period.end.isoformat(),
                "as_of": InstantField().to_representation(now),
                "data": [_money(row) for row in rows],
            }
        )


def _money(row: Billed) -> dict[str, Any]:
    amounts = {kind.value: row.billed.get(kind, 0) * FEMTO_PER_NANO for kind in BilledKind}
    recognised = Amounts({kind: nano * FEMTO_PER_NANO for kind, nano in row.recognised.items()})
    figures: dict[str, Any] = MoneyFigures(
        {
            "currency": row.currency,
            "billed": amounts | {"total": row.total_billed * FEMTO_PER_NANO},
            "recognised": recognised,
            "deferred_before": row.deferred_before * FEMTO_PER_NANO,
            "deferred_after": row.deferred_after * FEMTO_PER_NANO,
        }
    ).data
    return figures
