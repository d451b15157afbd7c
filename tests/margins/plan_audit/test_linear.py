"""The simplex against problems worked by hand, and against every corner of small random ones."""

from fractions import Fraction
from itertools import combinations
from random import Random
from typing import Any

import pytest

from margins.plan_audit.linear import Row, maximise

Limits = list[tuple[Row, Fraction | int]]


def test_two_activities_share_two_limits() -> None:
    """max 3x + 5y with x ≤ 4, 2y ≤ 12, 3x + 2y ≤ 18: 36 at (2, 6)."""
    best: Any = maximise([3, 5], [([1, 0], 4), ([0, 2], 12), ([3, 2], 18)])
    assert (best.value, best.amounts, best.tight) == (36, [2, 6], [1, 2])


def test_an_amount_that_is_not_whole_is_exact() -> None:
    assert maximise([1], [([3], 1)]).value == Fraction(1, 3)


def test_what_nothing_holds_back_has_no_largest_value() -> None:
    best = maximise([1, 1], [([1, 0], 5)])
    assert (best.value, best.endless) == (None, 1)


@pytest.mark.parametrize("gains", [[], [0, 0], [-1, -2]])
def test_what_gains_nothing_is_not_done(gains: list[int]) -> None:
    best: Any = maximise(gains, [([1] * len(gains), 3)])
    assert (best.value, best.amounts) == (0, [0] * len(gains))


def test_a_degenerate_problem_ends() -> None:
    """Beale's: the largest-gain rule goes round in circles here for ever."""
    uses: Limits = [
        ([Fraction(1, 4), -60, Fraction(-1, 25), 9], 0),
        ([Fraction(1, 2), -90, Fraction(-1, 50), 3], 0),
        ([0, 0, 1, 0], 1),
    ]
    assert maximise([Fraction(3, 4), -150, Fraction(1, 50), -6], uses).value == Fraction(1, 20)


@pytest.mark.parametrize("seed", range(20))
def test_no_corner_is_better(seed: int) -> None:
    """With two activities a best answer lies where two of the lines cross: all of them are tried."""
    random = Random(seed)
    gains = [random.randint(0, 9), random.randint(0, 9)]
    limits: Limits = [([random.randint(0, 5), random.randint(0, 5)], random.randint(0, 20)) for _ in range(3)]
    limits += [([1, 0], 30), ([0, 1], 30)]
    lines: list[tuple[Row, Fraction | int]] = [*limits, ([1, 0], 0), ([0, 1], 0)]
    corners = []
    for (one, first), (two, second) in combinations(lines, 2):
        across = one[0] * two[1] - one[1] * two[0]
        if across:
            x = Fraction(first * two[1] - one[1] * second, across)
            y = Fraction(one[0] * second - first * two[0], across)
            if x >= 0 and y >= 0 and all(uses[0] * x + uses[1] * y <= bound for uses, bound in limits):
                corners.append(gains[0] * x + gains[1] * y)
    assert maximise(gains, limits).value == max(corners)
