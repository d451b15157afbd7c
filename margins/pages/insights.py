"""A page for each topic of the dashboard: the same figures, unabridged."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from entitlements.models import Customer, Run
from entitlements.queries.runs import tree_of
from margins.pages import blocks
from margins.pages import change_tables as changes
from margins.pages import people_tables as folk
from margins.pages import savings_tables as thrift
from margins.pages.blocks import Block
from margins.pages.data import Data
from margins.pages.request import ask, asked_server
from margins.pages.shell import page
from margins.pages.staff import staff_page
from margins.pages.tables import Table
from margins.people.features import features_without_benefit
from margins.services.due import write_due_breakage

USERS_SHOWN = 50
ROWS_SHOWN = 40


@staff_page
def bridge(request: HttpRequest) -> HttpResponse:
    """Why supplier cost changed since as many days before."""
    data = _data(request)
    tables = [
        changes.moved_table(data, "model", _csv(data, "bridge-models"), most=ROWS_SHOWN),
        changes.moved_table(data, "feature", _csv(data, "bridge-features"), most=ROWS_SHOWN),
        changes.months_table(data, _csv(data, "months")),
    ]
    return _topic(request, data, "bridge", blocks.bridge_block(data), tables)


@staff_page
def people(request: HttpRequest) -> HttpResponse:
    """Heavy users and cohorts."""
    data = _data(request)
    tables = [
        folk.users_table(data, _csv(data, "heavy-users"), most=USERS_SHOWN),
        folk.cohorts_table(data, _csv(data, "cohort-costs")),
        folk.cohort_margins_table(data, _csv(data, "cohorts")),
    ]
    return _topic(request, data, "people", blocks.people_block(data), tables)


@staff_page
def features(request: HttpRequest) -> HttpResponse:
    """Features against the benchmarks, and what they are said to earn."""
    data = _data(request)
    missing = features_without_benefit()
    lead = f"Nobody has stated yet what {', '.join(missing)} earn." if missing else ""
    add = reverse("admin:margins_featurebenefit_changelist")
    block = Block("features", "Features", lead, more=add, more_text="State a benefit")
    tables = [folk.features_table(data, _csv(data, "benchmarks")), folk.payback_table(data, _csv(data, "payback"))]
    return _topic(request, data, "features", block, tables)


@staff_page
def savings(request: HttpRequest) -> HttpResponse:
    """What was saved and would have been, from every event of the days."""
    data = _data(request)
    block = Block("savings", "Savings", blocks.savings_lead(data), [thrift.means_table(data)])
    tables = [
        thrift.advice_table(data, _csv(data, "advice"), most=ROWS_SHOWN),
        thrift.saved_table(data, _csv(data, "saved"), most=ROWS_SHOWN),
        thrift.caches_table(data, _csv(data, "caches"), most=ROWS_SHOWN),
        thrift.tasks_table(data, _csv(data, "tasks")),
        thrift.hosting_table(data, _csv(data, "build-or-buy")),
    ]
    return _topic(request, data, "savings", block, tables, server=data.server, left_out=data.savings.unpriced_calls)


@staff_page
def runs(request: HttpRequest) -> HttpResponse:
    """What depth adds to agents' runs."""
    data = _data(request)
    block = Block("runs", "Agents’ runs", "A run’s cost contains that of every run inside it.")
    return _topic(
        request, data, "runs", block, [changes.depths_table(data, _csv(data, "runs")), changes.trees_table(data)]
    )


@staff_page
def run(request: HttpRequest, key: str, run_id: UUID) -> HttpResponse:
    """One tree, depth by depth."""
    data = _data(request)
    customer = get_object_or_404(Customer, key=key)
    tree = tree_of(get_object_or_404(Run, customer_id=customer.pk, id=run_id))
    calls = data.links.list_of({"customer__id__exact": str(customer.pk), "run_key": tree.run.key})
    block = Block("run", tree.run.key, f"A run of {customer.name or key}.", more=calls, more_text="Its own calls")
    return _topic(request, data, "runs", block, [changes.levels_table(tree)])


@staff_page
def checklist(request: HttpRequest) -> HttpResponse:
    """Whether the margin would survive a bad month, answered from the account's own data."""
    data = _data(request)
    lead = f"{changes.checklist_score(data)} questions that could be answered are answered with yes."
    block = Block("checklist", "Margin resilience", lead)
    tables = [
        changes.checklist_table(data, _csv(data, "checklist")),
        changes.findings_table(data, _csv(data, "findings")),
    ]
    return _topic(request, data, "checklist", block, tables)


def _data(request: HttpRequest) -> Data:
    asked = ask(request)
    write_due_breakage(asked.now)
    return Data(asked, asked_server(request))


def _topic(
    request: HttpRequest, data: Data, section: str, block: Block, tables: Sequence[Table], **more: object
) -> HttpResponse:
    # The way here from the dashboard leads nowhere else.
    topic = replace(block, more="") if block.more_text == "More" else block
    context = {"title": block.title, "margin": data.margin, "topic": topic, "tables": tables, "section": section}
    return page(request, "margins/topic.html", data.asked, {**context, **more}, section)


def _csv(data: Data, table: str) -> str:
    return f"{reverse('margins:overview_csv', kwargs={'table': table})}?{data.asked.query}"
