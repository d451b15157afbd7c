"""The pages' tables as CSV, exact and unpaged."""

from collections.abc import Callable, Mapping
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from entitlements.models import Customer
from margins.margin import losses_first
from margins.pages import change_tables as changes
from margins.pages import people_tables as folk
from margins.pages import savings_tables as thrift
from margins.pages.csv import csv_response, harmless, margin_csv, table_csv
from margins.pages.data import Data
from margins.pages.request import ask, asked_server
from margins.pages.staff import staff_page
from margins.pages.tables import Table
from margins.queries.margins import Dimension, Scope, margin_rows
from margins.queries.restated import restated_days
from margins.queries.unpriced import unpriced_models
from margins.services.due import write_due_breakage
from margins.units import FEMTO_PER_NANO, format_femto

_RESTATED: Final = "restated"

_OF_ONE: Final = {
    "plans": Dimension.PLAN,
    "features": Dimension.FEATURE,
    "models": Dimension.MODEL,
    "users": Dimension.USER,
    "days": Dimension.DAY,
}
_OF_ALL: Final = {"customers": Dimension.CUSTOMER, "cohorts": Dimension.COHORT, **_OF_ONE}

_INSIGHTS: Final[Mapping[str, Callable[[Data], Table]]] = {
    "bridge": changes.effects_table,
    "bridge-models": lambda data: changes.moved_table(data, "model"),
    "bridge-features": lambda data: changes.moved_table(data, "feature"),
    "months": changes.months_table,
    "model-costs": changes.models_table,
    "runs": changes.depths_table,
    "checklist": changes.checklist_table,
    "findings": changes.findings_table,
    "concentration": folk.tops_table,
    "heavy-users": folk.users_table,
    "cohort-costs": folk.cohorts_table,
    "benchmarks": folk.features_table,
    "payback": folk.payback_table,
    "saved": thrift.saved_table,
    "advice": thrift.advice_table,
    "caches": thrift.caches_table,
    "tasks": thrift.tasks_table,
    "build-or-buy": thrift.hosting_table,
}


@staff_page
def overview_csv(request: HttpRequest, table: str) -> HttpResponse:
    """Every row of one of the pages' tables; margins in all billing currencies."""
    if table == "unpriced":
        return _unpriced_csv(request)
    if table == _RESTATED:
        return _restated_csv(request)
    if table in _INSIGHTS:
        asked = ask(request)
        write_due_breakage(asked.now)
        return table_csv(_INSIGHTS[table](Data(asked, asked_server(request))), name=f"margin-{table}")
    return _margins_csv(request, _OF_ALL.get(table), name=f"margin-{table}")


@staff_page
def customer_csv(request: HttpRequest, key: str, table: str) -> HttpResponse:
    """Every row of one of a customer's tables."""
    customer = get_object_or_404(Customer, key=key)
    if table == _RESTATED:
        return _restated_csv(request, customer)
    return _margins_csv(request, _OF_ONE.get(table), customer, name=f"margin-{customer.pk}-{table}")


def _margins_csv(
    request: HttpRequest, dimension: Dimension | None, customer: Customer | None = None, *, name: str
) -> HttpResponse:
    if dimension is None:
        raise Http404
    asked = ask(request)
    write_due_breakage(asked.now)
    scope = Scope(*asked.period, (customer.pk,) if customer else None)
    rows = margin_rows(scope, [dimension], now=asked.now)
    if dimension is Dimension.CUSTOMER:
        rows.sort(key=lambda row: (row.margin.currency, losses_first(row.margin)))
    return margin_csv(rows, [dimension], name=name)


def _unpriced_csv(request: HttpRequest) -> HttpResponse:
    models = unpriced_models(Scope(*ask(request).period))
    return csv_response(
        "margin-unpriced",
        ("model", "unpriced_calls", "calls", "tokens", "customers"),
        [(harmless(model.model), *model[1:]) for model in models],
    )


def _restated_csv(request: HttpRequest, customer: Customer | None = None) -> HttpResponse:
    days = restated_days(Scope(*ask(request).period, (customer.pk,) if customer else None))
    return csv_response(
        f"margin-{customer.pk}-restated" if customer else "margin-restated",
        ("day", "currency", "revenue", "calls", "inference_usd", "last_at"),
        [
            (
                one.day.isoformat(),
                one.currency,
                format_femto(one.revenue_nano * FEMTO_PER_NANO),
                one.calls,
                format_femto(one.cost_nanousd * FEMTO_PER_NANO),
                one.last_at.isoformat(),
            )
            for one in days
        ],
    )
