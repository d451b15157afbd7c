"""Tables of margins for the pages: cells of text with the exact figure behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from django.utils.safestring import SafeString

from margins.margin import INFERENCE, Amounts, Margin
from margins.pages.cells import Cell, row_markup
from margins.pages.words import completeness_tone, count, money, percent
from margins.queries.margins import Dimension, MarginRow
from margins.units import FEMTO_PER_UNIT, format_femto, ratio

UNALLOCATED: Final = {
    Dimension.PLAN: "no plan",
    Dimension.FEATURE: "unallocated",
    Dimension.MODEL: "unallocated",
}


@dataclass(frozen=True, slots=True)
class Table:
    """The first column names the row, the others hold figures. `csv` links to the same rows, exact."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    csv: str = ""
    note: str = ""
    empty: str = "Nothing in these days."
    total: Sequence[Cell] = ()

    @property
    def heads(self) -> list[tuple[str, bool]]:
        """The columns' names, and whether sentences stand under them."""
        wraps = [cell.wraps for cell in self.rows[0]] if self.rows else [False] * len(self.columns)
        return list(zip(self.columns, wraps, strict=True))

    @property
    def lines(self) -> list[SafeString]:
        """The rows as HTML."""
        return [row_markup(row) for row in self.rows]

    @property
    def total_line(self) -> SafeString | None:
        return row_markup(self.total) if self.total else None

    def without(self, *columns: str) -> "Table":
        """The same table with fewer columns, where there is little room."""
        kept = [place for place, column in enumerate(self.columns) if column not in columns]
        rows = [[row[place] for place in kept] for row in self.rows]
        return replace(self, columns=[self.columns[place] for place in kept], rows=rows)


_COLUMNS: Final = ("Revenue", "COGS", "of it inference", "Gross margin", "Margin", "Calls", "Completeness")


def margin_table(
    rows: Sequence[MarginRow],
    dimension: Dimension,
    *,
    title: str,
    csv: str,
    note: str = "",
    first: Callable[[MarginRow], Cell] | None = None,
    last: tuple[str, Callable[[MarginRow], Cell]] | None = None,
) -> Table:
    """A row of figures for each row; `first` words the leading cell, `last` adds a column."""
    lead = first or (lambda row: Cell(word_of(dimension, row.key[0]), tone="" if row.key[0] else "muted"))
    body = [[lead(row), *figures(row.margin), *([last[1](row)] if last else [])] for row in rows]
    columns = (dimension.title(), *_COLUMNS, *([last[0]] if last else []))
    return Table(title, columns, body, csv=csv, note=note)


def word_of(dimension: Dimension, value: str | date | None) -> str:
    """What a row is called in its table."""
    if isinstance(value, date):
        return f"{value:%a} {value.day} {value:%b %Y}"
    return value if value is not None else UNALLOCATED.get(dimension, "–")


def figures(margin: Margin) -> list[Cell]:
    """The figures every margin table shows, in the order of its columns."""
    own = margin.own
    inference = own.cogs.get(INFERENCE, 0)
    gross = margin.gross_margin
    foreign = _foreign(margin)
    return [
        amount(own.total_revenue, margin.currency),
        Cell(money(own.total_cogs, margin.currency), format_femto(own.total_cogs), note=foreign),
        amount(inference, margin.currency),
        Cell("–", note=foreign) if gross is None else amount(gross, margin.currency),
        Cell(percent(margin.margin_ratio), margin.margin_ratio or "", tone="loss" if (gross or 0) < 0 else ""),
        Cell(count(margin.usage.calls)),
        Cell(
            percent(margin.completeness),
            margin.completeness or "",
            tone=completeness_tone(margin.completeness) or "muted",
        ),
    ]


def counted(number: int, *, note: str = "") -> Cell:
    return Cell(count(number), str(number), note=note)


def amount(femto: int, currency: str) -> Cell:
    return Cell(money(femto, currency), format_femto(femto), tone="loss" if femto < 0 else "")


def _foreign(margin: Margin) -> str:
    """What the margin lacks for want of an exchange rate, as "+ $12.00 not convertible"."""
    sums = [money(one.total_cogs, currency) for currency, one in margin.not_convertible.items() if one.total_cogs]
    return f"+ {', '.join(sums)} not convertible" if sums else ""


def revenue_table(own: Amounts, currency: str) -> Table:
    """Revenue by kind with its share."""
    rows = [
        [Cell(kind.title()), amount(earned, currency), Cell(percent(ratio(earned, own.total_revenue)))]
        for kind, earned in sorted(own.revenue.items(), key=lambda item: -item[1])
        if earned
    ]
    return Table("Revenue", ("Kind", "Amount", "Share"), rows)


def cost_table(margin: Margin, names: Mapping[str, str], calls: int) -> Table:
    """COGS by line, dearest first, with its share of revenue and what it comes to per call."""
    currencies = [(margin.currency, margin.own), *margin.not_convertible.items()]
    lines = [
        (names.get(key, key), cost, currency)
        for currency, amounts in currencies
        for key, cost in sorted(amounts.cogs.items(), key=lambda item: -item[1])
        if cost
    ]
    rows = [
        [
            Cell(name),
            amount(cost, currency),
            Cell(percent(ratio(cost, margin.own.total_revenue)) if currency == margin.currency else "–"),
            Cell(money(cost // calls, currency) if calls else "–"),
        ]
        for name, cost, currency in lines
    ]
    return Table("Cost lines", ("Line", "Amount", "% of revenue", "per call"), rows)


def chart_scale(femto: int) -> str:
    """The highest bar's label: whole units are enough there."""
    units = femto // FEMTO_PER_UNIT
    return count(units) if units else format_femto(femto)[:6]
