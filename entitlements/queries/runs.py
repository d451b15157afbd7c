"""Runs as trees, and the calls that were made in them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from entitlements.models import Run
from kernel.clock import FUTURE_SKEW
from metering.models import UsageEvent

MOST_RUNS: Final = 500
"""How many runs of one tree are shown. The tree of an agent that opens more is cut off, and says so."""


class Tree(msgspec.Struct, frozen=True):
    """A run with everything inside it. `more`: there are runs inside that are not here."""

    run: Run
    inside: Mapping[UUID, Sequence[Run]]
    """The runs opened in each, by its id, oldest first. A run's sums contain theirs."""
    more: bool

    @property
    def runs(self) -> list[Run]:
        """The run, then all that are inside it."""
        return [self.run, *(run for runs in self.inside.values() for run in runs)]


def tree_of(run: Run) -> Tree:
    """The run and the runs inside it, at most MOST_RUNS of them: deep ones are left out first."""
    # A child opens after its parent, as far as the clocks of two processes agree: that bounds the search.
    around = Run.objects.filter(
        customer_id=run.customer_id, opened_at__gte=run.opened_at - FUTURE_SKEW, ancestors__contains=[run.id]
    )
    found = list(around.order_by("ancestors__len", "opened_at", "id")[:MOST_RUNS])
    inside: dict[UUID, list[Run]] = defaultdict(list)
    for each in found[: MOST_RUNS - 1]:
        inside[each.ancestors[-1]].append(each)
    return Tree(run, inside, more=len(found) == MOST_RUNS)


def calls_in(runs: Iterable[Run]) -> "QuerySet[UsageEvent]":
    """The usage events that name one of a customer's runs; order by ``occurred_at`` for the first one first."""
    runs = list(runs)
    return UsageEvent.objects.filter(customer_id=runs[0].customer_id, run_key__in=[run.key for run in runs])


def runs_of(customer_id: int) -> "QuerySet[Run]":
    """A customer's runs; order by ``-opened_at`` for the newest first."""
    return Run.objects.filter(customer_id=customer_id)


def parent_of(run: Run) -> UUID | None:
    """The id of the run around it."""
    return run.ancestors[-1] if run.ancestors else None
