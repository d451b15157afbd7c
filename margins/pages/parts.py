"""The parts pages are put together from: tiles, the trend, the notice of unpriced models, the customers' table."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Final, NamedTuple

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from entitlements.models import Customer
from margins.charts import TrendDay, sparkline, trend
from margins.currencies import ONE, Converted
from margins.margin import INFERENCE, Margin
from margins.pages.cells import Cell
from margins.pages.data import Data
from margins.pages.request import Asked
from margins.pages.tables import Table, chart_scale, figures, margin_table, word_of
from margins.pages.words import completeness_tone, count, money, percent
from margins.period import Period
from margins.queries.margins import Dimension, MarginRow, Scope, margin_rows
from margins.queries.unpriced import UnpricedModel
from margins.savings.links import Links
from margins.savings.spend import Task
from margins.units import format_femto, ratio

RESTATED: Final = "restated"


class Tile(NamedTuple):
    label: str
    text: str
    note: str
    exact: str = ""
    tone: str = ""
    href: str = ""
    """What is behind it."""


class Unpriced(NamedTuple):
    calls: str
    models: Sequence[UnpricedModel]


def tiles(margin: Margin) -> list[Tile]:
    """The headline: revenue, COGS, margin, completeness."""
    own, currency, gross = margin.own, margin.currency, margin.gross_margin
    kinds = sorted(((earned, kind) for kind, earned in own.revenue.items() if earned), reverse=True)
    inference = ratio(own.cogs.get(INFERENCE, 0), own.total_revenue)
    missing = ", ".join(
        money(amounts.total_cogs or amounts.total_revenue, other) for other, amounts in margin.not_convertible.items()
    )
    unpriced = margin.usage.unpriced_calls
    return [
        Tile(
            "Revenue",
            money(own.total_revenue, currency),
            ", ".join(f"{kind} {percent(ratio(earned, own.total_revenue))}" for earned, kind in kinds) or "none yet",
            format_femto(own.total_revenue),
        ),
        Tile(
            "COGS",
            money(own.total_cogs, currency),
            f"{missing} not convertible" if missing else f"inference {percent(inference)} of revenue",
            format_femto(own.total_cogs),
        ),
        Tile(
            "Gross margin",
            percent(margin.margin_ratio),
            "needs an exchange rate" if gross is None else money(gross, currency),
            margin.margin_ratio or "",
            "loss" if (gross or 0) < 0 else "",
        ),
        Tile(
            "Completeness",
            percent(margin.completeness),
            f"{count(unpriced)} of {count(margin.usage.calls)} calls unpriced"
            if unpriced
            else f"all {count(margin.usage.calls)} calls priced",
            margin.completeness or "",
            completeness_tone(margin.completeness),
        ),
    ]


def headline(data: Data) -> list[Tile]:
    """The tiles of the shown currency, and of all together where there are several."""
    several = len(data.totals) > 1 or data.margin.not_convertible
    revenue, cogs, margin, completeness = tiles(data.margin)
    unpriced = {"cost_nanousd__isnull": "True"} if data.margin.usage.unpriced_calls else {}
    return [
        revenue._replace(href=reverse("admin:entitlements_ledgerline_changelist")),
        cogs._replace(href=data.links.list_of({})),
        margin._replace(href=f"{reverse('margins:overview')}?{data.asked.query}#customers"),
        completeness._replace(href=data.links.list_of(unpriced)),
        *([all_currencies_tile(*data.all_currencies)] if several else []),
    ]


def behind(
    period: Period, customer_id: int, restated: Collection[date]
) -> Callable[[Dimension], Callable[[MarginRow], Cell]]:
    """The leading cells of a customer's tables, each with the calls behind its figures; restated days say so."""
    links, whose = Links(period), {"customer__id__exact": str(customer_id)}

    def lead(dimension: Dimension, row: MarginRow) -> Cell:
        value = row.key[0]
        href = ""
        if isinstance(value, date):
            href = links.list_of(whose, Period(value, value + timedelta(days=1)))
        elif value is not None and dimension is Dimension.MODEL:
            href = links.list_of(whose | {"model": value})
        elif value is not None and dimension is Dimension.FEATURE:
            href = links.events(Task(value, ""), more=whose)
        elif value is not None and dimension is Dimension.USER:
            href = links.list_of(whose | {"user_key": value})
        note = RESTATED if value in restated else ""
        return Cell(word_of(dimension, value), href=href, tone="" if value else "muted", note=note)

    return lambda dimension: partial(lead, dimension)


def all_currencies_tile(currency: str, everything: Converted) -> Tile:
    """Every billing currency in the reporting one; what lacks a rate is said, and the margin then missing."""
    gross = everything.gross_margin
    missing = sorted({one for one, _ in everything.missing})
    note = f"no rate for {', '.join(missing)}" if missing else f"of {money(everything.revenue // ONE, currency)}"
    shown = percent(everything.margin_ratio)
    tone = "loss" if (gross or 0) < 0 else "caution" if missing else ""
    return Tile(f"All currencies, in {currency}", shown, note, everything.margin_ratio or "", tone)


def trend_chart(by_day: Sequence[MarginRow], period: Period, currency: str) -> SafeString:
    """The days of the period that have begun, those on which nothing happened included."""
    margins = {row.key[0]: row.margin for row in by_day}
    last = max((day for day in margins if isinstance(day, date)), default=None)
    days = []
    day = period.start
    while last is not None and day <= last:
        margin = margins.get(day, Margin(currency))
        own = margin.own
        hint = (
            f"{day:%a} {day.day} {day:%b}: revenue {money(own.total_revenue, currency)}, "
            f"COGS {money(own.total_cogs, currency)}, margin {percent(margin.margin_ratio)}"
        )
        days.append(TrendDay(f"{day.day} {day:%b}", own.total_revenue, own.total_cogs, hint))
        day += timedelta(days=1)
    description = (
        f"Above, gross margin per cent for each day from {period.start}; below, revenue and COGS in {currency}. "
        "The same figures are in the table that follows."
    )
    drawn = trend(days, chart_id="trend", title="Margin by day", description=description, amount_text=chart_scale)
    return mark_safe(drawn)  # noqa: S308 - charts.py escapes every text


def days_table(by_day: Sequence[MarginRow], asked: Asked, restated: Collection[date], *, csv: str) -> Table:
    """Day by day, each with the dashboard of that day alone; restated days say so."""

    def lead(row: MarginRow) -> Cell:
        day = row.key[0]
        one = Period(day, day + timedelta(days=1)) if isinstance(day, date) else asked.period
        return Cell(
            word_of(Dimension.DAY, day), href=f"?{asked.query_for(one)}", note=RESTATED if day in restated else ""
        )

    return margin_table(by_day, Dimension.DAY, title="Day by day", csv=csv, first=lead)


def unpriced_notice(models: Sequence[UnpricedModel]) -> Unpriced | None:
    """What to price first; None when everything is."""
    if not models:
        return None
    return Unpriced(count(sum(model.unpriced_calls for model in models)), models)


def customer_table(rows: Sequence[MarginRow], asked: Asked, *, csv: str, total: Margin) -> Table:
    """Customers with their names, a link each, and the daily gross margin as a line."""
    keys = [str(row.key[0]) for row in rows]
    customers = {one.key: one for one in Customer.objects.filter(key__in=keys)}
    lines = _sparklines([one.pk for one in customers.values()], asked)

    def first(row: MarginRow) -> Cell:
        key = str(row.key[0])
        name = customers[key].name
        link = f"{reverse('margins:customer', kwargs={'key': key})}?{asked.query}"
        return Cell(name or key, href=link, note=key if name and name != key else "")

    def last(row: MarginRow) -> Cell:
        values = lines.get(str(row.key[0]), [])
        return Cell("", markup=mark_safe(sparkline(values, label="Gross margin by day")))  # noqa: S308 - see charts.py

    table = margin_table(
        rows, Dimension.CUSTOMER, title="Customers, losses first", csv=csv, first=first, last=("Trend", last)
    )
    return replace(table, total=[Cell("All customers"), *figures(total), Cell("")])


def _sparklines(customer_ids: Sequence[int], asked: Asked) -> dict[str, list[int | None]]:
    if not customer_ids:
        return {}
    scope = Scope(*asked.period, customer_ids)
    found = margin_rows(scope, [Dimension.CUSTOMER, Dimension.DAY], now=asked.now)
    days = sorted({row.key[1] for row in found if isinstance(row.key[1], date)})
    place = {day: index for index, day in enumerate(days)}
    lines: dict[str, list[int | None]] = {}
    for row in found:
        key, day = row.key
        if isinstance(day, date):
            lines.setdefault(str(key), [None] * len(days))[place[day]] = row.margin.gross_margin
    return lines
