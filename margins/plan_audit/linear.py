"""The largest value of a linear function under linear limits, in exact fractions. Pure.

The worst case of a plan is such a problem: calls of each kind, each limit a row. Problems are small (tens of kinds, a
handful of limits), so a textbook simplex does, and exactness spares every question of tolerance.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

Row = Sequence[Fraction | int]


class Optimum(NamedTuple):
    """The largest value and how much of each activity reaches it. `value` is None where there is no largest.

    `amounts` are then those of a corner from which it grows for ever, and `endless` the activity that lets it.
    `tight` are the numbers of the limits that hold it back.
    """

    value: Fraction | None
    amounts: list[Fraction]
    tight: list[int]
    endless: int | None = None


def maximise(gains: Row, limits: Sequence[tuple[Row, Fraction | int]]) -> Optimum:
    """Maximise Σ gains × amounts, all amounts ≥ 0, with Σ uses × amounts ≤ bound for each limit; bounds are ≥ 0.

    Starts from nothing at all, which is always allowed. Bland's rule (the first column that gains, the first row that
    binds) never cycles.
    """
    count, rows = len(gains), len(limits)
    table = [
        [Fraction(use) for use in uses] + [Fraction(int(row == place)) for place in range(rows)] + [Fraction(bound)]
        for row, (uses, bound) in enumerate(limits)
    ]
    prices = [Fraction(gain) for gain in gains] + [Fraction(0)] * (rows + 1)
    basis = list(range(count, count + rows))
    while (entering := next((place for place in range(count + rows) if prices[place] > 0), None)) is not None:
        leaving = _leaving(table, basis, entering)
        if leaving is None:
            return Optimum(None, _amounts(table, basis, count), [], entering if entering < count else None)
        _pivot(table, prices, leaving, entering)
        basis[leaving] = entering
    tight = [row for row in range(rows) if prices[count + row] < 0]
    return Optimum(-prices[-1], _amounts(table, basis, count), tight)


def _leaving(table: list[list[Fraction]], basis: list[int], entering: int) -> int | None:
    """The row that binds first as the entering activity grows."""
    binding = [(line[-1] / line[entering], basis[row], row) for row, line in enumerate(table) if line[entering] > 0]
    return min(binding)[2] if binding else None


def _pivot(table: list[list[Fraction]], prices: list[Fraction], leaving: int, entering: int) -> None:
    pivot = table[leaving][entering]
    table[leaving] = line = [value / pivot for value in table[leaving]]
    for row, other in enumerate(table):
        if row != leaving and other[entering]:
            factor = other[entering]
            table[row] = [value - factor * by if by else value for value, by in zip(other, line, strict=True)]
    if factor := prices[entering]:
        prices[:] = [value - factor * by if by else value for value, by in zip(prices, line, strict=True)]


def _amounts(table: list[list[Fraction]], basis: list[int], count: int) -> list[Fraction]:
    amounts = [Fraction(0)] * count
    for row, place in enumerate(basis):
        if place < count:
            amounts[place] = table[row][-1]
    return amounts
