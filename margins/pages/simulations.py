"""Asking "what if" in the browser: the runs, a form for another, one with its progress, and two beside each other."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, cast

from django.contrib.admin.views.decorators import staff_member_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing.tasks import wake
from kernel.clock import utc_now
from kernel.errors import InvalidInput
from margins.models import Simulation
from margins.pages.csv import csv_response, harmless
from margins.pages.request import ask as asked_days
from margins.pages.shell import page
from margins.pages.simulation_tables import compared_table, customers_table, side_by_side, totals_table
from margins.pages.staff import View, staff_page
from margins.queries.simulations import compared, rows_of, stored_totals
from margins.services.naming import move_named, plan_version_id, rate_card_version_id
from margins.services.simulations import ask, scenario_of
from margins.simulation.export import COLUMNS, exported
from margins.simulation.scenario import Scenario
from margins.tasks import answer_simulations
from metering.models import CostCard
from plans.models import AIModel, Feature, Plan, PlanVersion, RateCardVersion

SECTION: Final = "simulations"
PAGE_SIZE: Final = 50
_SHOWN: Final = 50


def _staff_form(view: View) -> View:
    """Like `staff_page`, for a page that is also posted to."""
    guarded: Any = staff_member_required(view, login_url="admin:login")
    return cast("View", never_cache(require_http_methods(["GET", "HEAD", "POST"])(guarded)))


@_staff_form
def simulations(request: HttpRequest) -> HttpResponse:
    """The runs there are, and a form to ask for another one."""
    problem = ""
    if request.method == "POST":
        try:
            return HttpResponseRedirect(_address(_asked(request)))
        except InvalidInput as refusal:
            problem = f"{refusal.field or ''}: {refusal.detail}".lstrip(": ")
    asked = asked_days(request)
    context = {
        "title": "Simulations",
        "problem": problem,
        "given": request.POST,
        "page": Paginator(Simulation.objects.all(), PAGE_SIZE).get_page(request.GET.get("page")),
        "plan_versions": PlanVersion.objects.select_related("plan").order_by("plan__key", "-number"),
        "plans": Plan.objects.order_by("key"),
        "rate_cards": RateCardVersion.objects.select_related("card").order_by("card__key", "-number"),
        "cost_cards": CostCard.objects.order_by("provider", "model", "-effective_from"),
        "models": AIModel.objects.order_by("key"),
        "features": Feature.objects.filter(kind=Feature.Kind.METERED).order_by("key"),
    }
    return page(request, "margins/simulations.html", asked, context, SECTION)


@staff_page
def simulation(request: HttpRequest, simulation_id: int) -> HttpResponse:
    """One run: its progress while it goes on, then what came of it."""
    found = get_object_or_404(Simulation, pk=simulation_id)
    others = Simulation.objects.filter(state=Simulation.State.DONE).exclude(pk=found.pk)[:_SHOWN]
    context: dict[str, Any] = {"title": found.name, "simulation": found, "others": others, "terms": _terms(found)}
    if found.state == Simulation.State.DONE:
        rows = Paginator(rows_of(found), PAGE_SIZE).get_page(request.GET.get("page"))
        context |= {
            "totals": [totals_table(total) for total in stored_totals(found)],
            "page": rows,
            "customers": customers_table(list(rows), csv=reverse("margins:simulation_csv", args=[found.pk])),
        }
    return page(request, "margins/simulation.html", asked_days(request), context, SECTION)


@staff_page
def progress(request: HttpRequest, simulation_id: int) -> HttpResponse:
    """The bar alone, asked for again and again while a run goes on; the whole page once it has ended."""
    found = get_object_or_404(Simulation, pk=simulation_id)
    if found.finished_at is not None:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "margins/simulation_progress.html", {"simulation": found})


@staff_page
def compare(request: HttpRequest, simulation_id: int) -> HttpResponse:
    """Two finished runs beside each other."""
    one, other = _finished(simulation_id), _finished(_number(request.GET.get("with", "")))
    rows = compared(one, other)
    context = {
        "title": f"{one.name} and {other.name}",
        "one": one,
        "other": other,
        "totals": side_by_side(one, other),
        "customers": compared_table(rows[:_SHOWN], one, other, left_out=max(0, len(rows) - _SHOWN)),
    }
    return page(request, "margins/simulation_compare.html", asked_days(request), context, SECTION)


@staff_page
def simulation_csv(_: HttpRequest, simulation_id: int) -> HttpResponse:
    """Every customer of a run, exact."""
    found = _finished(simulation_id)
    rows: list[Sequence[str | int]] = [
        [harmless(cell) if isinstance(cell, str) and column == "customer" else cell for column, cell in line]
        for line in (zip(COLUMNS, exported(row), strict=True) for row in rows_of(found))
    ]
    return csv_response(f"simulation-{found.pk}", COLUMNS, rows)


def _asked(request: HttpRequest) -> Simulation:
    """Store the question of the form and wake a worker. Raises InvalidInput."""
    given = request.POST
    scenario = Scenario(
        starts_on=_day(given.get("from", ""), "from"),
        ends_on=_day(given.get("to", ""), "to"),
        plan_version_id=plan_version_id(given["plan_version"]) if given.get("plan_version") else None,
        instead_of=tuple(given.getlist("instead_of")),
        rate_card_version_id=rate_card_version_id(given["rate_card"]) if given.get("rate_card") else None,
        cost_card_ids=tuple(_number(card) for card in given.getlist("cost_cards")),
        moves=tuple(move_named(text) for text in given.get("moves", "").split()),
        limits="observe" if given.get("limits") == "observe" else "enforce",
        customers=tuple(dict.fromkeys(given.get("customers", "").replace(",", " ").split())),
    )
    with transaction.atomic():
        made = ask(scenario, name=given.get("name", "")[:100], author=str(request.user), now=utc_now())
        transaction.on_commit(lambda: wake(answer_simulations))
    return made


def _terms(simulation: Simulation) -> list[tuple[str, str]]:
    """The question in words."""
    scenario = scenario_of(simulation)
    plan = PlanVersion.objects.filter(pk=scenario.plan_version_id or 0).select_related("plan").first()
    card = RateCardVersion.objects.filter(pk=scenario.rate_card_version_id or 0).select_related("card").first()
    cards = CostCard.objects.filter(pk__in=scenario.cost_card_ids)
    moves = [
        f"{move.source} → {move.target}{f' for {move.feature}' if move.feature else ''}" for move in scenario.moves
    ]
    enforced = "a call that would have been refused does not happen"
    observed = "every call happens; what is beyond the balance becomes overage or debt"
    found = [
        ("Days", f"{scenario.starts_on} up to {scenario.ends_on} (UTC)"),
        ("Plan", f"{plan.plan.key} v{plan.number}" if plan else ""),
        ("Instead of", ", ".join(scenario.instead_of)),
        ("Rate card", f"{card.card.key} v{card.number}" if card else ""),
        ("Cost cards", ", ".join(str(each) for each in cards)),
        ("Models", ", ".join(moves)),
        ("Limits", enforced if scenario.limits == "enforce" else observed),
        ("Customers", ", ".join(scenario.customers) or "everyone"),
    ]
    return [(name, words) for name, words in found if words]


def _address(simulation: Simulation) -> str:
    return reverse("margins:simulation", args=[simulation.pk])


def _finished(simulation_id: int) -> Simulation:
    return get_object_or_404(Simulation, pk=simulation_id, state=Simulation.State.DONE)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise Http404
    return int(text)


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("must be a day such as 2026-11-01", field=field) from None
