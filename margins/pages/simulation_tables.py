"""Tables of simulations: what really happened beside what the scenario makes of it."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.formats import date_format

from kernel.units import format_credits, format_usd
from margins.models import Simulation, SimulationRow
from margins.pages.cells import Cell
from margins.pages.tables import Table, amount
from margins.pages.words import count
from margins.queries.simulations import Compared, Figures, Total, figures_of, stored_totals
from margins.units import FEMTO_PER_NANO

_FIGURES = ("Calls", "Credits", "Revenue", "Supplier cost", "Margin")


def totals_table(total: Total) -> Table:
    """The customers of one currency: really, simulated, and the difference."""
    real, simulated = total.real, total.simulated
    rows = [
        [Cell("Really"), *_cells(real)],
        [Cell("Simulated"), *_cells(simulated)],
        [Cell("Difference"), *_cells(_difference(real, simulated))],
    ]
    note = (
        f"{count(total.refused_calls)} calls of {count(total.refused_customers)} customers refused: "
        f"{format_credits(total.lost_microcredits)} credits not charged, "
        f"{format_usd(total.saved_nanousd)} USD of cost saved. "
        f"{count(total.moved_calls)} calls sent to another model, {count(total.downgraded_calls)} downgraded. "
        f"{count(total.limited_customers)} customers met a limit or the end of their credits; "
        f"{format_credits(total.debt_microcredits)} credits owed at the end. "
        "Margin is revenue less supplier cost; other cost lines are left out on both sides."
    )
    title = f"{count(total.customers)} customers billed in {total.currency}"
    return Table(title, ("", *_FIGURES), rows, note=note)


def customers_table(rows: Sequence[SimulationRow], *, csv: str) -> Table:
    """One line a customer, those who lose most first."""
    body = [
        [
            _customer(row.customer_key),
            Cell(row.plan or "–"),
            *_pair(figures_of(row, real=True), figures_of(row, real=False)),
            Cell(count(row.refused_calls), tone="caution" if row.refused_calls else "muted"),
            _first_limit(row),
        ]
        for row in rows
    ]
    columns = ("Customer", "Plan", "Calls", "Revenue", "Supplier cost", "Margin", "Refused", "First limit met")
    return Table("Customers, losses first", columns, body, csv=csv, note="Each figure: simulated, and really in small.")


def side_by_side(one: Simulation, other: Simulation) -> list[Table]:
    """Two runs' totals, a table for each currency."""
    left = {total.currency: total.simulated for total in stored_totals(one)}
    right = {total.currency: total.simulated for total in stored_totals(other)}
    tables = []
    for currency in sorted(left.keys() | right.keys()):
        nothing = Figures(currency, 0, 0, 0, 0)
        mine, theirs = left.get(currency, nothing), right.get(currency, nothing)
        rows = [
            [Cell(one.name), *_cells(mine)],
            [Cell(other.name), *_cells(theirs)],
            [Cell("Difference"), *_cells(_difference(mine, theirs))],
        ]
        tables.append(Table(f"Billed in {currency}", ("", *_FIGURES), rows))
    return tables


def compared_table(rows: Sequence[Compared], one: Simulation, other: Simulation, *, left_out: int) -> Table:
    """Customers whose margin differs most between two runs."""
    body = [
        [
            _customer(row.customer),
            *(_margin(side) for side in (row.one, row.other)),
            amount(row.difference * FEMTO_PER_NANO, row.currency),
            *(Cell(count(side.refused_calls if side else 0)) for side in (row.one, row.other)),
        ]
        for row in rows
    ]
    columns = ("Customer", f"Margin: {one.name}", f"Margin: {other.name}", "Difference", "Refused", "Refused")
    note = f"{count(left_out)} customers whose margin differs less are left out." if left_out else ""
    return Table("Customers whose margin differs most", columns, body, note=note)


def _cells(figures: Figures) -> list[Cell]:
    margin = figures.margin_nano
    return [
        Cell(count(figures.calls).replace("-", "−")),
        Cell(format_credits(figures.microcredits).replace("-", "−")),
        amount(figures.revenue_nano * FEMTO_PER_NANO, figures.currency),
        amount(figures.cost_nanousd * FEMTO_PER_NANO, "USD"),
        Cell("–") if margin is None else amount(margin * FEMTO_PER_NANO, figures.currency),
    ]


def _pair(real: Figures, simulated: Figures) -> list[Cell]:
    """Calls, revenue, cost and margin as simulated, with what they really were."""
    cells = []
    for was, now in zip(_cells(real), _cells(simulated), strict=True):
        cells.append(Cell(now.text, now.exact, tone=now.tone, note=was.text if was.text != now.text else ""))
    calls, _, *money = cells
    return [calls, *money]


def _difference(before: Figures, after: Figures) -> Figures:
    return Figures(after.currency, *(new - old for old, new in zip(before[1:], after[1:], strict=True)))


def _margin(row: SimulationRow | None) -> Cell:
    if row is None:
        return Cell("–", tone="muted")
    margin = figures_of(row, real=False).margin_nano
    return Cell("–") if margin is None else amount(margin * FEMTO_PER_NANO, row.currency)


def _customer(key: str) -> Cell:
    return Cell(key, href=reverse("margins:customer", kwargs={"key": key}))


def _first_limit(row: SimulationRow) -> Cell:
    if row.first_limit_at is None:
        return Cell("–", tone="muted")
    return Cell(row.first_limit, note=date_format(row.first_limit_at, "Y-m-d H:i"))
