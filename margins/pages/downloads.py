"""The pages' tables as CSV, exact and unpaged."""

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from entitlements.models import Customer
from kernel.clock import utc_now
from margins.margin import losses_first
from margins.pages.csv import csv_response, harmless, margin_csv
from margins.pages.request import read_asked
from margins.pages.staff import staff_page
from margins.queries.margins import Dimension, Scope, margin_rows
from margins.queries.unpriced import unpriced_models
from margins.services.due import write_due_breakage

_OF_ALL: Final = {
    "customers": Dimension.CUSTOMER,
    "plans": Dimension.PLAN,
    "features": Dimension.FEATURE,
    "models": Dimension.MODEL,
    "days": Dimension.DAY,
}
_OF_ONE: Final = {name: dimension for name, dimension in _OF_ALL.items() if dimension is not Dimension.CUSTOMER}


@staff_page
def overview_csv(request: HttpRequest, table: str) -> HttpResponse:
    """Every row of one of the overview's tables, all billing currencies."""
    if table == "unpriced":
        return _unpriced_csv(request)
    return _margins_csv(request, _OF_ALL.get(table), name=f"margin-{table}")


@staff_page
def customer_csv(request: HttpRequest, key: str, table: str) -> HttpResponse:
    """Every row of one of a customer's tables."""
    customer = get_object_or_404(Customer, key=key)
    return _margins_csv(request, _OF_ONE.get(table), customer, name=f"margin-{customer.pk}-{table}")


def _margins_csv(
    request: HttpRequest, dimension: Dimension | None, customer: Customer | None = None, *, name: str
) -> HttpResponse:
    if dimension is None:
        raise Http404
    now = utc_now()
    asked = read_asked(request, now)
    write_due_breakage(now)
    scope = Scope(*asked.period, (customer.pk,) if customer else None)
    rows = margin_rows(scope, [dimension], now=now)
    if dimension is Dimension.CUSTOMER:
        rows.sort(key=lambda row: (row.margin.currency, losses_first(row.margin)))
    return margin_csv(rows, [dimension], name=name)


def _unpriced_csv(request: HttpRequest) -> HttpResponse:
    asked = read_asked(request, utc_now())
    models = unpriced_models(Scope(*asked.period))
    return csv_response(
        "margin-unpriced",
        ("model", "unpriced_calls", "calls", "tokens", "customers"),
        [(harmless(model.model), *model[1:]) for model in models],
    )
