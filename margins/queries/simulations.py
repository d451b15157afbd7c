"""A simulation's figures: totals by billing currency, and two simulations beside each other."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection

from kernel.sql_files import sql_file
from margins.margin import SUPPLIER_CURRENCY
from margins.models import Simulation, SimulationRow


class Figures(NamedTuple):
    """What calls came to: credits, cost in nano-USD, revenue in nano-units of a currency."""

    currency: str
    calls: int
    microcredits: int
    cost_nanousd: int
    revenue_nano: int

    @property
    def margin_nano(self) -> int | None:
        """Revenue less what suppliers charged; None where the two are in different currencies."""
        return self.revenue_nano - self.cost_nanousd if self.currency == SUPPLIER_CURRENCY else None


class Total(NamedTuple):
    """A simulation's customers of one billing currency."""

    currency: str
    customers: int
    real: Figures
    simulated: Figures
    unpriced_calls: int
    unrated_calls: int
    moved_calls: int
    downgraded_calls: int
    refused_calls: int
    lost_microcredits: int
    saved_nanousd: int
    debt_microcredits: int
    limited_customers: int
    refused_customers: int


class Compared(NamedTuple):
    """One customer in two simulations; None where one of them has nothing of theirs."""

    customer: str
    currency: str
    one: SimulationRow | None
    other: SimulationRow | None

    @property
    def difference(self) -> int:
        """How much more margin the other has, nano-units; costs are taken as they are in another currency."""
        return _margin(self.other) - _margin(self.one)


def totals_of(simulation_id: int) -> list[dict[str, Any]]:
    """The totals as they are stored with a simulation: JSON, exact sums as text."""
    with connection.cursor() as cursor:
        cursor.execute(sql_file("margins", "simulation_totals"), {"simulation_id": simulation_id})
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def stored_totals(simulation: Simulation) -> list[Total]:
    """The totals of a finished simulation."""
    return [_total(row) for row in simulation.totals]


def figures_of(row: SimulationRow, *, real: bool) -> Figures:
    """One customer's figures, as they were or as the scenario has them."""
    if real:
        return Figures(
            row.currency, row.real_calls, row.real_microcredits, row.real_cost_nanousd, row.real_revenue_nano
        )
    return Figures(row.currency, row.calls, row.microcredits, row.cost_nanousd, row.revenue_nano)


def compared(one: Simulation, other: Simulation) -> list[Compared]:
    """Every customer of either simulation, those whose margin differs most first."""
    mine, theirs = _by_customer(one.rows.all()), _by_customer(other.rows.all())
    found = []
    for customer_id in mine.keys() | theirs.keys():
        left, right = mine.get(customer_id), theirs.get(customer_id)
        known = left or right
        if known is not None:
            found.append(Compared(known.customer_key, known.currency, left, right))
    return sorted(found, key=lambda each: (-abs(each.difference), each.customer))


def _total(row: dict[str, Any]) -> Total:
    numbers = {name: int(value) for name, value in row.items() if name != "currency"}
    sides = [
        Figures(row["currency"], *(numbers.pop(f"{side}{name}") for name in Figures._fields[1:]))
        for side in ("real_", "")
    ]
    return Total(currency=row["currency"], real=sides[0], simulated=sides[1], **numbers)


def _margin(row: SimulationRow | None) -> int:
    return 0 if row is None else row.revenue_nano - row.cost_nanousd


def _by_customer(rows: Iterable[SimulationRow]) -> dict[int, SimulationRow]:
    return {row.customer_id: row for row in rows}


def rows_of(simulation: Simulation) -> Sequence[SimulationRow]:
    """The customers of a simulation, those who lose most first."""
    return sorted(simulation.rows.all(), key=lambda row: (_margin(row), row.customer_key))
