"""What could be done about calls, and the evidence for how much of it: shares that are reached elsewhere. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from margins.savings.caching import CacheUse
from margins.savings.saved import Means
from margins.savings.spend import Model, Spend, Task

ENOUGH_CALLS: Final = 20
"""Fewer calls than this show nothing about what could be done elsewhere."""

WORTH_RAISING: Final = Fraction(1, 20)
"""A family whose cached share is this near to the best one's is as good as it."""

ASSUMED_READS_PER_WRITE: Final = 5
"""Where nobody counted writes: each written token is read back so often."""


class Move(NamedTuple):
    """Something to do about some calls, how much of it, and why that much is thought possible."""

    means: Means
    task: Task
    share: Fraction
    assumption: str
    model: Model | None = None
    """Only calls on this model."""
    to: Model | None = None
    """The cheaper model."""
    reads_per_write: Fraction = Fraction(ASSUMED_READS_PER_WRITE)


class Moves:
    """The moves an account's own calls suggest."""

    def __init__(self, spends: Iterable[Spend], uses: Iterable[CacheUse]) -> None:
        calls: Counter[Task] = Counter()
        memoised: Counter[Task] = Counter()
        batched: Counter[Task] = Counter()
        models: dict[Task, Counter[Model]] = defaultdict(Counter)
        for spend in spends:
            calls[spend.task] += spend.calls
            memoised[spend.task] += spend.calls if spend.memoised else 0
            batched[spend.task] += spend.calls if spend.is_batch else 0
            if not spend.memoised and spend.model.rank:
                models[spend.task][spend.model] += spend.calls
        self._memoised = {move.task: move for move in _memoised(calls, memoised)}
        self._batch = {move.task: move for move in _batch(calls, batched)}
        self._tiers = {(move.task, rank): move for task, found in models.items() for rank, move in _tiers(task, found)}
        self._caching = {(move.task, move.model): move for move in _caching(list(uses))}

    def of(self, means: Means, spend: Spend) -> Move | None:
        """The move that concerns these calls, if any."""
        found: Mapping[Means, Callable[[], Move | None]] = {
            Means.MEMOISED: lambda: self._memoised.get(spend.task),
            Means.TIER: lambda: self._tiers.get((spend.task, spend.model.rank)),
            Means.CACHING: lambda: self._caching.get((spend.task, spend.model)),
            Means.BATCH: lambda: None if spend.processing not in {"", "standard"} else self._batch.get(spend.task),
        }
        return found[means]()


def _memoised(calls: Counter[Task], memoised: Counter[Task]) -> Iterable[Move]:
    """As often as the task that does it least: a low bar that is real."""
    shares = {task: Fraction(memoised[task], calls[task]) for task in calls if memoised[task] >= ENOUGH_CALLS}
    if not shares:
        return
    like = min(shares, key=lambda task: (shares[task], task))
    for task, count in calls.items():
        if count >= ENOUGH_CALLS and not memoised[task]:
            share = _percent(shares[like])
            why = f"repeats are as frequent as in {_named(like)}, where {share} are answered from a cache"
            yield Move(Means.MEMOISED, task, shares[like], why)


def _batch(calls: Counter[Task], batched: Counter[Task]) -> Iterable[Move]:
    for task, count in calls.items():
        if ENOUGH_CALLS <= batched[task] < count:
            share = _percent(Fraction(batched[task], count))
            why = f"nobody waits for the others either: {share} of these calls run in batches already"
            yield Move(Means.BATCH, task, Fraction(1), why)


def _tiers(task: Task, models: Counter[Model]) -> Iterable[tuple[int, Move]]:
    """Of each tier's calls, as large a share as cheaper tiers handle of the task today."""
    total = sum(models.values())
    for rank in sorted({model.rank for model in models}):
        cheaper = {model: count for model, count in models.items() if model.rank < rank}
        if sum(cheaper.values()) < ENOUGH_CALLS:
            continue
        to = max(cheaper, key=lambda model: (cheaper[model], model.reported))
        share = Fraction(sum(cheaper.values()), total)
        why = (
            f"cheaper tiers answer {_percent(share)} of these calls today, and could answer as many of the dearer ones"
        )
        yield rank, Move(Means.TIER, task, share, why, to=to)


def _caching(uses: list[CacheUse]) -> Iterable[Move]:
    best: dict[Task, CacheUse] = {}
    for use in uses:
        if use.calls >= ENOUGH_CALLS and (use.task not in best or use.read_share > best[use.task].read_share):
            best[use.task] = use
    for use in uses:
        if use.loses:
            why = "the prefixes are read back too seldom to pay for writing them: do not cache them"
            yield Move(Means.CACHING, use.task, Fraction(0), why, use.model)
            continue
        like = best.get(use.task)
        if like is None or like.read_share < use.read_share + WORTH_RAISING or use.break_even is None:
            continue
        again, share = like.reads_per_write or Fraction(ASSUMED_READS_PER_WRITE), _percent(like.read_share)
        why = (
            f"prompts begin alike as often as on {like.model.key}, where {share} of input is read from the cache; "
            f"each token written is read {float(again):.1f} times"
        )
        yield Move(Means.CACHING, use.task, like.read_share, why, use.model, reads_per_write=again)


def _named(task: Task) -> str:
    return f"{task.feature} {task.action}".strip()


def _percent(share: Fraction) -> str:
    return f"{float(share) * 100:.1f} %"
