"""Which tiers answer which tasks, and when a smaller model pays. Pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from margins.savings.saved import dearest_models
from margins.savings.spend import Model, Prices, Spend, Task


class TaskTiers(NamedTuple):
    """A task's calls by tier, the batches among them, and its smallest model weighed against its dearest.

    `small_nanousd` and `large_nanousd` are what one call costs on each, with the tokens of the calls
    that went to the dearest; None where only one tier is used, or a price is missing.
    """

    task: Task
    calls: int
    memoised: int
    batched: int
    by_tier: dict[str, int]
    """Calls that called a model, by tier key from the cheapest; "" is models in no tier."""
    small: Model | None = None
    large: Model | None = None
    small_nanousd: Fraction | None = None
    large_nanousd: Fraction | None = None

    @property
    def cheaper_share(self) -> Fraction:
        """The share of calls in tiers that are handled below the dearest one in use."""
        tiers = [count for tier, count in self.by_tier.items() if tier]
        return Fraction(sum(tiers[:-1]), sum(tiers)) if tiers else Fraction(0)

    @property
    def break_even(self) -> Fraction | None:
        """The share of the small model's answers that may be wrong, and asked again of the large one, while it pays.

        Every call goes to the small model, those that fail to both: small + failing × large < large.
        """
        if self.small_nanousd is None or not self.large_nanousd:
            return None
        return max(1 - self.small_nanousd / self.large_nanousd, Fraction(0))


def task_tiers(spends: Sequence[Spend], prices: Prices) -> list[TaskTiers]:
    """Every task, most calls first."""
    groups: dict[Task, list[Spend]] = defaultdict(list)
    for spend in spends:
        groups[spend.task].append(spend)
    dearest = dearest_models(spends)
    found = [_of(task, group, dearest.get(task), prices) for task, group in groups.items()]
    return sorted(found, key=lambda one: (-one.calls, one.task))


def _of(task: Task, group: list[Spend], large: Model | None, prices: Prices) -> TaskTiers:
    models: Counter[Model] = Counter()
    for spend in group:
        if not spend.memoised:
            models[spend.model] += spend.calls
    by_tier: dict[str, int] = {}
    for model in sorted(models, key=lambda one: (one.rank, one.tier)):
        by_tier[model.tier] = by_tier.get(model.tier, 0) + models[model]
    ranked = [model for model in models if model.rank]
    small = min(ranked, key=lambda model: (model.rank, -models[model], model.reported), default=None)
    found = TaskTiers(
        task,
        sum(spend.calls for spend in group),
        sum(spend.calls for spend in group if spend.memoised),
        sum(spend.calls for spend in group if spend.is_batch and not spend.memoised),
        by_tier,
    )
    if small is None or large is None or small.rank == large.rank:
        return found
    there = [spend for spend in group if spend.model == large and not spend.memoised]
    calls = sum(spend.calls for spend in there)
    costs = [(prices.cost(spend, model=small), prices.cost(spend)) for spend in there]
    cheap = _average([cost for cost, _ in costs], calls)
    return found._replace(
        small=small, large=large, small_nanousd=cheap, large_nanousd=_average([c for _, c in costs], calls)
    )


def _average(costs: Sequence[Fraction | None], calls: int) -> Fraction | None:
    if not calls or any(cost is None for cost in costs):
        return None
    return sum((cost or Fraction(0) for cost in costs), Fraction(0)) / calls
