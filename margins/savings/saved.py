"""What was saved: how much more the same calls would have cost without each means. Pure.

Every call climbs one ladder, so no dollar is counted twice: what it would cost on the dearest tier its
task uses, then on its own model (cheaper tier), then with its prompt cached (caching), then in its own
mode (batch). Each saving is the difference of two rungs, and they sum to top less bottom. Answers from a
cache of our own never called a model: they are counted by what such calls cost, and nowhere else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from margins.savings.spend import Model, Prices, Spend, Task, uncached


class Means(StrEnum):
    """A way to pay less for the same answers, in the order in which they are taken off."""

    MEMOISED = "memoised"
    """Answered from a cache of our own: exact repeats, or near enough (semantic)."""
    TIER = "tier"
    """A cheaper model instead of the dearest one the task uses."""
    CACHING = "caching"
    """The provider's prompt cache."""
    BATCH = "batch"
    """Processed when the provider has room: batch or flex."""


ASSUMPTION: Final[Mapping[Means, str]] = {
    Means.MEMOISED: "Without the answers at hand, each would have been a call like the task's others on that model.",
    Means.TIER: "Without routing, these calls would have gone to the model its dearest tier uses most, "
    "with as many tokens.",
    Means.CACHING: "Without a prompt cache, every token would have been read at the price of fresh input.",
    Means.BATCH: "Without batches, the calls would have been made at once, at the standard price.",
}


class Saving(NamedTuple):
    """What one means saved on one task and model; negative where it cost more than it saved."""

    means: Means
    task: Task
    model: Model
    calls: int
    saved_nanousd: int
    instead: str = ""
    """The model it would have been, for a cheaper tier."""


def savings(spends: Sequence[Spend], prices: Prices) -> list[Saving]:
    """Every saving, largest first. Calls whose prices nobody knows are left out."""
    dearest = dearest_models(spends)
    typical = _typical_costs(spends)
    sums: dict[tuple[Means, Task, Model, str], list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for spend in spends:
        for means, instead, saved in _ladder(spend, prices, dearest, typical):
            place = sums[means, spend.task, spend.model, instead]
            place[0] += spend.calls
            place[1] += saved
    found = [
        Saving(means, task, model, int(calls), round(saved), instead)
        for (means, task, model, instead), (calls, saved) in sums.items()
        if saved
    ]
    return sorted(found, key=lambda one: (-one.saved_nanousd, one.means, one.task, one.model.key, one.model.reported))


def dearest_models(spends: Iterable[Spend]) -> dict[Task, Model]:
    """For each task, the model its highest tier is called on most: what all of it would run on without routing."""
    calls: dict[Task, dict[Model, int]] = defaultdict(lambda: defaultdict(int))
    for spend in spends:
        if spend.model.rank and not spend.memoised:
            calls[spend.task][spend.model] += spend.calls
    return {
        task: max(models, key=lambda model: (model.rank, models[model], model.reported))
        for task, models in calls.items()
    }


def _ladder(
    spend: Spend,
    prices: Prices,
    dearest: Mapping[Task, Model],
    typical: Mapping[tuple[Task, Model | None], Fraction],
) -> list[tuple[Means, str, Fraction]]:
    if spend.memoised:
        one = typical.get((spend.task, spend.model), typical.get((spend.task, None)))
        return [] if one is None else [(Means.MEMOISED, "", one * spend.calls)]
    plain = uncached(spend.usage)
    as_it_was = prices.cost(spend)
    standard = prices.cost(spend, processing="standard")
    fresh = prices.cost(spend, processing="standard", usage=plain)
    if as_it_was is None or standard is None or fresh is None:
        return []
    rungs = [(Means.CACHING, "", fresh - standard), (Means.BATCH, "", standard - as_it_was)]
    reference = dearest.get(spend.task)
    if reference is not None and spend.model.rank and spend.model.rank < reference.rank:
        top = prices.cost(spend, model=reference, processing="standard", usage=plain)
        if top is not None:
            rungs.append((Means.TIER, reference.key, top - fresh))
    return [rung for rung in rungs if rung[2]]


def _typical_costs(spends: Iterable[Spend]) -> dict[tuple[Task, Model | None], Fraction]:
    """What a priced call of a task costs on a model, and on any (None)."""
    costs: dict[tuple[Task, Model | None], list[int]] = defaultdict(lambda: [0, 0])
    for spend in spends:
        if spend.memoised or not spend.priced_calls:
            continue
        for place in ((spend.task, spend.model), (spend.task, None)):
            costs[place][0] += spend.cost_nanousd
            costs[place][1] += spend.priced_calls
    return {place: Fraction(cost, calls) for place, (cost, calls) in costs.items()}
