"""What depth adds to agents' runs: of one tree, and of every tree opened in a stretch of days."""

from typing import NamedTuple

from django.db.models import QuerySet

from entitlements.models import Run
from entitlements.queries.runs import Tree
from kernel.sql_files import sql_file
from margins.people.asking import rows
from margins.people.depth import Level, RunCost, levels
from margins.period import Period
from margins.recognition import day_start


def tree_levels(tree: Tree) -> list[Level]:
    """The levels of one tree, the run it was asked of being depth 1. Costs in nano-USD."""
    outside = len(tree.run.ancestors)
    return levels(RunCost(run.id, run.ancestors[outside:], run.steps, run.cost_nanousd) for run in tree.runs)


class DepthOfTrees(NamedTuple):
    """All trees of a stretch of days that end at the same depth, taken together."""

    depth: int
    trees: int
    runs: int
    steps: int
    cost_nanousd: int
    """Of whole trees."""
    first_level_nanousd: int
    """What their outermost runs' own calls cost."""

    @property
    def per_tree_nanousd(self) -> int:
        return self.cost_nanousd // self.trees


def depth_of_trees(period: Period) -> list[DepthOfTrees]:
    """Trees whose outermost run was opened on these days, by how deep they went."""
    found = rows(sql_file("margins", "run_depths"), {"since": day_start(period.start), "until": day_start(period.end)})
    return [DepthOfTrees(*map(int, row)) for row in found]


def dearest_trees(period: Period, most: int = 10) -> "QuerySet[Run]":
    """The outermost runs opened on these days that cost most."""
    opened = Run.objects.filter(
        opened_at__gte=day_start(period.start), opened_at__lt=day_start(period.end), ancestors=[]
    )
    return opened.order_by("-cost_nanousd", "id")[:most]
