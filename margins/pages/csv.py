"""Margin rows as CSV: exact figures, a column for each kind of revenue and each line of cost."""

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import date
from io import StringIO
from typing import Final

from django.http import HttpResponse

from margins.margin import INFERENCE
from margins.pages.cells import Cell
from margins.pages.tables import Table
from margins.queries.margins import Dimension, MarginRow
from margins.recognition import RevenueKind
from margins.units import format_femto

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def margin_csv(rows: Sequence[MarginRow], by: Sequence[Dimension], *, name: str) -> HttpResponse:
    """The rows as a download called `name`."""
    lines = _lines(rows)
    foreign = sorted({currency for row in rows for currency in row.margin.not_convertible})
    header = [
        *by,
        "currency",
        *(f"revenue_{kind}" for kind in RevenueKind),
        "revenue",
        *(f"cogs_{line}" for line in lines),
        "cogs",
        "gross_margin",
        "margin_ratio",
        *(f"not_convertible_cogs_{currency}" for currency in foreign),
        "calls",
        "unpriced_calls",
        "unrated_calls",
        "completeness",
    ]
    return csv_response(name, header, (_cells(row, lines, foreign) for row in rows))


def table_csv(table: Table, *, name: str) -> HttpResponse:
    """A page's table as a download called `name`: the exact figure behind each cell, else its text."""
    rows = [[_value(cell) for cell in row] for row in table.rows]
    return csv_response(name, [column or "what" for column in table.columns], rows)


def _value(cell: Cell) -> str:
    text = cell.exact or cell.text
    return text if _NUMBER.fullmatch(text) else harmless(text)


def csv_response(name: str, header: Sequence[str], rows: Iterable[Sequence[str | int]]) -> HttpResponse:
    """A CSV download. Text that a spreadsheet would take for a formula is made text again."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def harmless(text: str) -> str:
    """Keys come from outside: one that starts like a formula must not run in finance's spreadsheet."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(row: MarginRow, lines: Sequence[str], foreign: Sequence[str]) -> list[str | int]:
    margin = row.margin
    gross = margin.gross_margin
    missing = margin.not_convertible
    return [
        *(value.isoformat() if isinstance(value, date) else harmless(value or "") for value in row.key),
        margin.currency,
        *(format_femto(margin.own.revenue.get(kind, 0)) for kind in RevenueKind),
        format_femto(margin.own.total_revenue),
        *(format_femto(margin.own.cogs.get(line, 0)) for line in lines),
        format_femto(margin.own.total_cogs),
        "" if gross is None else format_femto(gross),
        margin.margin_ratio or "",
        *(format_femto(missing[currency].total_cogs) if currency in missing else "0" for currency in foreign),
        margin.usage.calls,
        margin.usage.unpriced_calls,
        margin.usage.unrated_calls,
        margin.completeness or "",
    ]


def _lines(rows: Sequence[MarginRow]) -> list[str]:
    keys = {key for row in rows for key, cost in row.margin.own.cogs.items() if cost}
    return [INFERENCE, *sorted(keys - {INFERENCE})]
