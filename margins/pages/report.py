"""The board's report: one page of paper per topic, printed from the browser."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from margins.pages import blocks
from margins.pages import change_tables as changes
from margins.pages import people_tables as folk
from margins.pages import savings_tables as thrift
from margins.pages.blocks import Block
from margins.pages.data import Data
from margins.pages.parts import headline, trend_chart, unpriced_notice
from margins.pages.request import ask, asked_server
from margins.pages.staff import staff_page
from margins.pages.tables import Table, margin_table
from margins.queries.margins import Dimension, MarginRow
from margins.services.due import write_due_breakage

ROWS: Final = 15
ADVICE: Final = 10
"""How many rows of a table fit on a page beside a chart."""


@staff_page
def report(request: HttpRequest) -> HttpResponse:
    """Margin, customers, cost, people, features, savings and resilience of the days asked about."""
    asked = ask(request)
    write_due_breakage(asked.now)
    data = Data(asked, asked_server(request))
    context = {
        "title": "Board report",
        "asked": asked,
        "last_day": asked.period.end - timedelta(days=1),
        "margin": data.margin,
        "currencies": data.currencies,
        "tiles": headline(data),
        "chart": trend_chart(data.by(Dimension.DAY), asked.period, data.margin.currency),
        "unpriced": unpriced_notice(data.unpriced),
        "months": changes.months_table(data),
        "topics": _topics(data),
    }
    return render(request, "margins/report.html", context)


def _topics(data: Data) -> list[tuple[Block, list[Table]]]:
    """A page each: the dashboard's block, and the tables that fill the page."""
    best = data.customers[::-1][:ROWS]
    savings = [thrift.means_table(data), thrift.advice_table(data, most=ADVICE).without("Alone")]
    customers = Block("customers", "Customers", f"{data.losing} of {len(data.customers)} cost more than they bring in.")
    return [
        (customers, [_customers("Losses first", data.customers[:ROWS]), _customers("Best first", best)]),
        (blocks.bridge_block(data), [changes.moved_table(data, "model", most=ROWS)]),
        (blocks.people_block(data), [folk.users_table(data, most=ROWS)]),
        (Block("cohorts", "Cohorts", ""), [folk.cohorts_table(data), folk.cohort_margins_table(data)]),
        (Block("features", "Features", ""), [folk.features_table(data), folk.payback_table(data)]),
        (Block("models", "Models", ""), [changes.models_table(data, most=2 * ROWS)]),
        (Block("savings", "Savings", blocks.savings_lead(data)), savings),
        (Block("checklist", "Margin resilience", ""), [changes.checklist_table(data)]),
        (blocks.findings_block(data), []),
    ]


def _customers(title: str, rows: Sequence[MarginRow]) -> Table:
    return margin_table(rows, Dimension.CUSTOMER, title=title, csv="")
