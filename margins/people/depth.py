"""What depth adds to a run: the cost of an agent's tree, level by level. Pure.

A run's stored sums contain those of the runs inside it, so what a level cost by itself is what its runs
say less what their own children say. Depth 1 is the outermost run.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple


class RunCost(NamedTuple):
    """A run of one or many trees: its id, the ids around it from the outermost to its parent, and its sums."""

    id: Hashable
    ancestors: Sequence[Hashable]
    steps: int
    cost: int


class Level(NamedTuple):
    """One depth: what its own calls cost, and what trees that stop there would have cost (`upto`)."""

    depth: int
    runs: int
    steps: int
    cost: int
    upto: int


def levels(runs: Iterable[RunCost]) -> list[Level]:
    """Depth by depth, from 1 to the deepest there is. The levels' own costs sum to the outermost runs' cost.

    A run whose outermost ancestor is not among `runs` is left out: its tree is not being looked at.
    """
    everyone = {run.id: run for run in runs}
    shown = [run for run in everyone.values() if not run.ancestors or run.ancestors[0] in everyone]
    counts: Counter[int] = Counter()
    steps: Counter[int] = Counter()
    costs: Counter[int] = Counter()
    for run in shown:
        depth = len(run.ancestors) + 1
        counts[depth] += 1
        steps[depth] += run.steps
        costs[depth] += run.cost
        if depth > 1:
            steps[depth - 1] -= run.steps
            costs[depth - 1] -= run.cost
    found, upto = [], 0
    for depth in range(1, max(counts, default=0) + 1):
        upto += costs[depth]
        found.append(Level(depth, counts[depth], steps[depth], costs[depth], upto))
    return found
