"""Where the margin goes: the dashboard and one customer's page, for staff."""

from collections.abc import Sequence
from typing import Any, Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from entitlements.models import Customer
from margins.margin import Margin, total
from margins.pages import blocks
from margins.pages.data import Data
from margins.pages.parts import behind, customer_table, days_table, headline, tiles, trend_chart, unpriced_notice
from margins.pages.request import Asked, ask
from margins.pages.restated import restatements
from margins.pages.shell import page
from margins.pages.staff import staff_page
from margins.pages.tables import cost_table, margin_table, revenue_table
from margins.queries.lines import line_names
from margins.queries.margins import Dimension, MarginRow, Scope, coarser, margin_rows_and_users
from margins.queries.restated import restated_days
from margins.queries.unpriced import unpriced_of_one
from margins.services.due import write_due_breakage

PAGE_SIZE: Final = 50
USERS_SHOWN: Final = 25

_OF_ALL_DAYS: Final = (Dimension.PLAN, Dimension.FEATURE, Dimension.MODEL)
_OF_ONE: Final = (*_OF_ALL_DAYS, Dimension.DAY)


@staff_page
def overview(request: HttpRequest) -> HttpResponse:
    """All customers: headline figures, the trend, what to price first, why and who, and customers, losses first."""
    asked = ask(request)
    write_due_breakage(asked.now)
    data = Data(asked)
    by_day = data.by(Dimension.DAY)
    shown = Paginator(data.customers, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "title": "Margins",
        "margin": data.margin,
        "currencies": data.currencies,
        "tiles": headline(data),
        "chart": trend_chart(by_day, asked.period, data.margin.currency),
        "days": days_table(
            by_day, asked, {one.day for one in data.restated}, csv=_csv("overview_csv", asked, table="days")
        ),
        "restated": restatements(data.restated, csv=_csv("overview_csv", asked, table="restated")),
        "unpriced": unpriced_notice(data.unpriced),
        "topics": [
            blocks.bridge_block(data),
            blocks.people_block(data),
            blocks.models_block(data),
            blocks.features_block(data),
            blocks.savings_block(data),
            blocks.months_block(data),
            blocks.checklist_block(data),
            blocks.findings_block(data),
        ],
        "page": shown,
        "customers": customer_table(
            list(shown), asked, csv=_csv("overview_csv", asked, table="customers"), total=data.margin
        ),
        "downloads": ("customers", "plans", "features", "models", "cohorts", "users", "days"),
        "losing": data.losing,
    }
    return page(request, "margins/overview.html", asked, context, "overview")


@staff_page
def customer(request: HttpRequest, key: str) -> HttpResponse:
    """One customer: what it paid, what it cost by line, and by feature, model and day."""
    asked = ask(request)
    found = get_object_or_404(Customer, key=key)
    write_due_breakage(asked.now)
    scope = Scope(*asked.period, (found.pk,))
    # Every table of the page is a coarser cut of the same rows, but for the users: of those there may be many.
    finest, of_users = margin_rows_and_users(scope, _OF_ONE, now=asked.now)
    by_day = coarser(finest, _OF_ONE, [Dimension.DAY])
    of_all_days = coarser(finest, _OF_ONE, _OF_ALL_DAYS)

    def by(dimension: Dimension) -> list[MarginRow]:
        return coarser(of_all_days, _OF_ALL_DAYS, [dimension])

    margin = next(iter(total(row.margin for row in by_day)), Margin(found.currency))
    by_model = by(Dimension.MODEL)
    restated = restated_days(scope)
    lead = behind(asked.period, found.pk, {one.day for one in restated})

    def cut(dimension: Dimension, title: str, found_rows: list[MarginRow], note: str = "") -> Any:
        csv = _csv("customer_csv", asked, key=key, table=f"{dimension}s")
        return margin_table(found_rows, dimension, title=title, csv=csv, note=note, first=lead(dimension))

    context = {
        "title": found.name or found.key,
        "customer": found,
        "events": f"{reverse('admin:entitlements_usageline_changelist')}?customer__id__exact={found.pk}",
        "ledger": f"{reverse('admin:entitlements_ledgerline_changelist')}?customer__id__exact={found.pk}",
        "margin": margin,
        "tiles": tiles(margin),
        "chart": trend_chart(by_day, asked.period, margin.currency),
        "unpriced": unpriced_notice(unpriced_of_one(by_model)),
        "restated": restatements(restated, csv=_csv("customer_csv", asked, key=key, table="restated")),
        "costs": cost_table(margin, line_names(*asked.period), margin.usage.calls),
        "revenue": revenue_table(margin.own, margin.currency),
        "cuts": [
            cut(Dimension.FEATURE, "By feature", by(Dimension.FEATURE), note=ALLOCATION),
            cut(Dimension.MODEL, "By model", by_model, note=ALLOCATION),
            cut(Dimension.USER, "By user", _heaviest(of_users), note=ALLOCATION),
            cut(Dimension.PLAN, "By plan", by(Dimension.PLAN)),
            cut(Dimension.DAY, "By day", by_day),
        ],
    }
    return page(request, "margins/customer.html", asked, context)


def _heaviest(rows: Sequence[MarginRow]) -> list[MarginRow]:
    """Those of one customer's users who cost most; the download has them all."""
    return sorted(rows, key=lambda row: -row.margin.own.total_cogs)[:USERS_SHOWN]


ALLOCATION: Final = (
    "A day’s subscription and costs per customer are shared by the credits charged that day, "
    "or by supplier cost where none were; a day without usage stays unallocated."
)


def _csv(name: str, asked: Asked, **parts: str) -> str:
    return f"{reverse(f'margins:{name}', kwargs=parts)}?{asked.query}"
