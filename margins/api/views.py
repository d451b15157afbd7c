"""GET /v1/margins and GET /v1/customers/{key}/margin."""

from datetime import date, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from access.fields import InstantField
from access.pagination import read_limit
from access.views import ApiView
from entitlements.api.base import CustomerView
from kernel.clock import utc_now
from margins.api.examples import CUSTOMER_MARGIN
from margins.api.figures import MarginFigures, ReportedFigures, RestatedFigures
from margins.api.query import MarginsQuery, PeriodQuery, check_size, customer_id_of, page_of, read_by
from margins.margin import Margin, reported_total, total
from margins.period import period_of
from margins.queries.currencies import margin_setting
from margins.queries.lines import line_names
from margins.queries.margins import Dimension, MarginRow, Scope, margin_rows
from margins.queries.restated import restated_days
from margins.services.due import write_due_breakage


class MarginRowFigures(MarginFigures):
    """A margin with what it was cut by; only the dimensions asked for are there."""

    customer = serializers.CharField(required=False)
    plan = serializers.CharField(required=False, allow_null=True, help_text="Null: on no plan.")
    feature = serializers.CharField(required=False, allow_null=True, help_text="Null: unallocated, no usage that day.")
    model = serializers.CharField(required=False, allow_null=True, help_text="Null: unallocated, or no model named.")
    user = serializers.CharField(required=False, allow_null=True, help_text="Null: unallocated, or no user named.")
    cohort = serializers.CharField(
        required=False, allow_null=True, help_text="Month of the first subscription, YYYY-MM. Null: never subscribed."
    )
    day = serializers.DateField(required=False)


class MarginReport(serializers.Serializer[Any]):
    """Margins of the days [from, to), exact as of one instant."""

    as_of = InstantField(help_text="The current day counts until then.")
    totals = MarginFigures(many=True, help_text="All rows together: one for each billing currency.")
    reported_total = ReportedFigures(help_text="All of them together, in the reporting currency.")
    data = MarginRowFigures(many=True)  # type: ignore[assignment] # DRF takes declared fields off the class
    restated = RestatedFigures(many=True, help_text="Days that changed after they were over.")
    next = serializers.URLField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return period_fields() | super().get_fields()


class CustomerMargin(serializers.Serializer[Any]):
    """One customer's margin of the days [from, to): one entry, or none when nothing happened."""

    customer = serializers.CharField()
    as_of = InstantField(help_text="The current day counts until then.")
    data = MarginFigures(many=True)  # type: ignore[assignment] # DRF takes declared fields off the class
    restated = RestatedFigures(many=True, help_text="Days that changed after they were over.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return period_fields() | super().get_fields()


def period_fields() -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    return {"from": serializers.DateField(source="start"), "to": serializers.DateField(source="end")}


class MarginsView(ApiView):
    required_scopes = {"GET": "read"}
    query_serializer = MarginsQuery
    tags = ["margins"]

    @extend_schema(responses=MarginReport)
    def get(self, request: Request) -> Response:
        """Gross margin by any combination of customer, user, feature, model, plan, cohort and day.

        Rows are in the order of their keys and sum to the totals, to the last digit, whatever they
        are cut by. Subscription revenue and costs per customer go to features, models and users by share of
        the credits charged that day (where none were, by share of supplier cost); what is left of a
        day without usage is in the row whose feature or model is null.
        """
        now = utc_now()
        by = read_by(self.query.get("by"))
        period = period_of(self.query.get("start"), self.query.get("end"), now)
        limit = read_limit(self.query.get("limit"))
        customer_ids = None
        if customer := self.query.get("customer"):
            customer_ids = (customer_id_of(customer),)
        else:
            check_size(by, period)
        write_due_breakage(now)
        scope = Scope(period.start, period.end, customer_ids)
        rows = margin_rows(scope, by, now=now)
        page, following = page_of(rows, limit=limit, cursor=self.query.get("cursor"))
        context = _context(scope)
        return Response(
            {
                "from": period.start.isoformat(),
                "to": period.end.isoformat(),
                "as_of": InstantField().to_representation(now),
                "totals": [_figures(margin, context) for margin in total(row.margin for row in rows)],
                "reported_total": ReportedFigures(reported_total(row.margin for row in rows), context=context).data,
                "data": [_key_members(by, row) | _figures(row.margin, context) for row in page],
                "restated": RestatedFigures(restated_days(scope), many=True).data,
                "next": replace_query_param(request.build_absolute_uri(), "cursor", following) if following else None,
            }
        )


class CustomerMarginView(CustomerView):
    required_scopes = {"GET": "read"}
    query_serializer = PeriodQuery
    tags = ["margins"]

    @extend_schema(responses=CustomerMargin, examples=[CUSTOMER_MARGIN])
    def get(self, request: Request, key: str) -> Response:
        """One customer's revenue by kind, cost by line, and gross margin. `/v1/margins?customer=` cuts it further."""
        period = period_of(self.query.get("start"), self.query.get("end"), self.now)
        customer = self.up_to_date()
        scope = Scope(period.start, period.end, (customer.pk,))
        return Response(
            {
                "customer": key,
                "from": period.start.isoformat(),
                "to": period.end.isoformat(),
                "as_of": InstantField().to_representation(self.now),
                "data": _customer_figures(scope, self.now),
                "restated": RestatedFigures(restated_days(scope), many=True).data,
            }
        )


def _customer_figures(scope: Scope, now: datetime) -> list[dict[str, Any]]:
    context = _context(scope)
    return [_figures(row.margin, context) for row in margin_rows(scope, (), now=now)]


def _context(scope: Scope) -> dict[str, Any]:
    return {
        "line_names": line_names(scope.start, scope.end),
        "reporting_currency": margin_setting().reporting_currency,
    }


def _figures(margin: Margin, context: dict[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = MarginFigures(margin, context=context).data
    return figures


def _key_members(by: list[Dimension], row: MarginRow) -> dict[str, Any]:
    return {
        dimension.value: value.isoformat() if isinstance(value, date) else value
        for dimension, value in zip(by, row.key, strict=True)
    }
