"""Customers by the month they first subscribed in: what each such cohort costs as it grows older."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from kernel.sql_files import sql_file
from margins.people.asking import rows
from margins.period import Period


class Cell(NamedTuple):
    """A cohort in one calendar month, by its first day. `active` are those of it who used anything."""

    month: date
    active: int
    calls: int
    unpriced_calls: int
    cost_nanousd: int

    @property
    def cost_per_active(self) -> int:
        """Rounded down to the nano-USD; 0 where nobody was active."""
        return self.cost_nanousd // self.active if self.active else 0


class Cohort(NamedTuple):
    """Those who first subscribed in `month` (None: never), how many they are, and the months they used in."""

    month: date | None
    customers: int
    cells: tuple[Cell, ...]

    @property
    def cost_nanousd(self) -> int:
        return sum(cell.cost_nanousd for cell in self.cells)

    def age(self, cell: Cell) -> int | None:
        """Months since the cohort's own, negative before it; None for those who never subscribed."""
        if self.month is None:
            return None
        return 12 * (cell.month.year - self.month.year) + cell.month.month - self.month.month


def assembled(sizes: Mapping[date | None, int], cells: Iterable[tuple[date | None, Cell]]) -> list[Cohort]:
    """The cohorts, oldest first and those who never subscribed last, each with its months in order. Pure."""
    months: dict[date | None, list[Cell]] = {month: [] for month in sizes}
    for month, cell in cells:
        months[month].append(cell)
    return [
        Cohort(month, sizes[month], tuple(sorted(months[month])))
        for month in sorted(months, key=lambda one: (one is None, one or date.min))
    ]


def cohort_costs(period: Period) -> list[Cohort]:
    """Every cohort with the supplier cost of its calendar months (UTC) that begin in the period, in nano-USD."""
    sizes: dict[date | None, int] = dict(rows(sql_file("margins", "cohort_sizes"), {}))
    months = rows(sql_file("margins", "cohort_months"), {"start": period.start.replace(day=1), "end": period.end})
    return assembled(sizes, [(month, Cell(first, *map(int, sums))) for month, first, *sums in months])
