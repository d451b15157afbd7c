"""Days whose figures changed after they were over, told where the days are shown."""

from collections.abc import Sequence
from typing import NamedTuple

from margins.margin import SUPPLIER_CURRENCY
from margins.pages.cells import Cell
from margins.pages.tables import Table, amount, counted, word_of
from margins.pages.words import count
from margins.queries.margins import Dimension
from margins.queries.restated import Restated
from margins.units import FEMTO_PER_NANO


class Restatements(NamedTuple):
    """`summary` is what the page says before anybody asks for the table."""

    summary: str
    table: Table


def restatements(found: Sequence[Restated], *, csv: str = "") -> Restatements | None:
    """The restated days of one billing currency; None where every day still is what it was when it ended."""
    if not found:
        return None
    days = len({one.day for one in found})
    said = "One of these days was" if days == 1 else f"{count(days)} of these days were"
    return Restatements(f"{said} restated once over", restated_table(found, csv=csv))


def restated_table(found: Sequence[Restated], *, csv: str = "") -> Table:
    """By how much each changed, and when that last happened."""
    rows = [
        [
            Cell(word_of(Dimension.DAY, one.day)),
            amount(one.revenue_nano * FEMTO_PER_NANO, one.currency),
            counted(one.calls),
            amount(one.cost_nanousd * FEMTO_PER_NANO, SUPPLIER_CURRENCY),
            Cell(f"{one.last_at:%-d %b %Y %H:%M}", one.last_at.isoformat()),
        ]
        for one in found
    ]
    return Table(
        "Restated days",
        ("Day", "Revenue", "Late calls", "Inference", "Last changed (UTC)"),
        rows,
        csv=csv,
        note="Late usage, corrections and re-ratings belong to the day of the call. All figures here contain them; "
        "a report made before the last change did not.",
    )
