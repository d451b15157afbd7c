"""Where the margin goes: the overview and one customer's page, for staff."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from entitlements.models import Customer
from kernel.clock import utc_now
from margins.margin import Margin, losses_first, total
from margins.pages.parts import customer_table, tiles, trend_chart, unpriced_notice
from margins.pages.request import Asked, read_asked
from margins.pages.staff import staff_page
from margins.pages.tables import cost_table, margin_table, revenue_table
from margins.queries.lines import line_names
from margins.queries.margins import Dimension, MarginRow, Scope, coarser, margin_rows
from margins.queries.unpriced import unpriced_models
from margins.services.due import write_due_breakage

PAGE_SIZE: Final = 50

_OF_ONE: Final = (Dimension.PLAN, Dimension.FEATURE, Dimension.MODEL, Dimension.DAY)


@staff_page
def overview(request: HttpRequest) -> HttpResponse:
    """All customers: headline figures, the trend, what lacks a price, and customers, losses first."""
    now = utc_now()
    asked = read_asked(request, now)
    write_due_breakage(now)
    scope = Scope(*asked.period)
    by_customer = margin_rows(scope, [Dimension.CUSTOMER], now=now)
    totals = total(row.margin for row in by_customer)
    margin = _chosen(totals, asked)
    customers = sorted(_in(margin, by_customer), key=lambda row: losses_first(row.margin))
    page = Paginator(customers, PAGE_SIZE).get_page(request.GET.get("page"))
    by_day = _in(margin, margin_rows(scope, [Dimension.DAY], now=now))
    context = {
        "title": "Margins",
        "asked": asked,
        "margin": margin,
        "currencies": [(one.currency, one.currency == margin.currency) for one in totals],
        "tiles": tiles(margin),
        "chart": trend_chart(by_day, asked.period, margin.currency),
        "days": margin_table(by_day, Dimension.DAY, title="Day by day", csv=_csv("overview_csv", asked, table="days")),
        "unpriced": unpriced_notice(unpriced_models(scope)),
        "page": page,
        "customers": customer_table(
            list(page), asked, csv=_csv("overview_csv", asked, table="customers"), total=margin
        ),
        "downloads": ("customers", "plans", "features", "models", "days"),
        "losing": sum(1 for row in customers if (row.margin.gross_margin or 0) < 0),
    }
    return _page(request, "margins/overview.html", context)


@staff_page
def customer(request: HttpRequest, key: str) -> HttpResponse:
    """One customer: what it paid, what it cost by line, and by feature, model and day."""
    now = utc_now()
    asked = read_asked(request, now)
    found = get_object_or_404(Customer, key=key)
    write_due_breakage(now)
    scope = Scope(*asked.period, (found.pk,))
    # One question to the database: every table of the page is a coarser cut of the same rows.
    finest = margin_rows(scope, _OF_ONE, now=now)

    def rows(*by: Dimension) -> list[MarginRow]:
        return coarser(finest, _OF_ONE, by)

    margin = next((row.margin for row in rows()), Margin(found.currency))
    by_day = rows(Dimension.DAY)

    def cut(dimension: Dimension, title: str, found_rows: list[MarginRow], note: str = "") -> Any:
        csv = _csv("customer_csv", asked, key=key, table=f"{dimension}s")
        return margin_table(found_rows, dimension, title=title, csv=csv, note=note)

    context = {
        "title": found.name or found.key,
        "customer": found,
        "asked": asked,
        "margin": margin,
        "tiles": tiles(margin),
        "chart": trend_chart(by_day, asked.period, margin.currency),
        "unpriced": unpriced_notice(unpriced_models(scope)),
        "costs": cost_table(margin, line_names(*asked.period), margin.usage.calls),
        "revenue": revenue_table(margin.own, margin.currency),
        "cuts": [
            cut(Dimension.FEATURE, "By feature", rows(Dimension.FEATURE), note=ALLOCATION),
            cut(Dimension.MODEL, "By model", rows(Dimension.MODEL), note=ALLOCATION),
            cut(Dimension.PLAN, "By plan", rows(Dimension.PLAN)),
            cut(Dimension.DAY, "By day", by_day),
        ],
    }
    return _page(request, "margins/customer.html", context)


ALLOCATION: Final = (
    "A day’s subscription and costs per customer are shared by the credits charged that day, "
    "or by supplier cost where none were; a day without usage stays unallocated."
)


def _chosen(totals: Sequence[Margin], asked: Asked) -> Margin:
    """The billing currency to show: the one asked for, else US dollars, else whatever there is."""
    by_currency = {margin.currency: margin for margin in totals}
    for currency in (asked.currency, "USD", *by_currency):
        if currency in by_currency:
            return by_currency[currency]
    return Margin(asked.currency or "USD")


def _in(margin: Margin, rows: Sequence[MarginRow]) -> list[MarginRow]:
    return [row for row in rows if row.margin.currency == margin.currency]


def _csv(name: str, asked: Asked, **parts: str) -> str:
    return f"{reverse(f'margins:{name}', kwargs=parts)}?{asked.query}"


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, {**admin.site.each_context(request), **context})
