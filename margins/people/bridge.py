"""Why cost changed between two periods: a bridge of volume, mix, size and price. Pure, and exact to the unit.

An item (a model, or a feature on a model) has calls, work and cost in each period. Work is its tokens
weighed at one price list, so that more output or fewer cached tokens are more work and not a higher
price. From the first period's cost to the second's, one thing is changed at a time:

1. **volume**: all items' calls grow like the calls in all;
2. **mix**: the calls move between the items;
3. **size**: the work of a call of each item becomes what it is in the second period;
4. **price**: so does the cost of a unit of work, which is where falling supplier prices show.

Each effect of an item is the difference of two cumulative costs, each rounded once, so the effects sum to the
difference whatever the numbers are. An item without calls, or without cost, in the first period has no
old price: all of its cost is mix.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item", bound=Hashable)


class Side(NamedTuple):
    """An item in one period. Cost is of calls whose cost is known, and so are `calls`; units are the caller's."""

    calls: int = 0
    work: int = 0
    cost: int = 0


class Effects(NamedTuple):
    """What each change did to the cost, in the unit of cost; they sum to the difference."""

    volume: int
    mix: int
    size: int
    price: int

    @property
    def total(self) -> int:
        return sum(self)

    def plus(self, other: "Effects") -> "Effects":
        return Effects(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


NO_EFFECT = Effects(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Bridge(Generic[Item]):
    """From one period's cost to the next one's, in all and by item."""

    before: Side
    after: Side
    effects: Effects
    items: Mapping[Item, tuple[Side, Side, Effects]]


def bridge(before: Mapping[Item, Side], after: Mapping[Item, Side]) -> Bridge[Item]:
    """The bridge between two periods, by item."""
    pairs = {item: (before.get(item, Side()), after.get(item, Side())) for item in (*before, *after)}
    first, second = _sum(before), _sum(after)
    growth = Fraction(second.calls, first.calls) if first.calls else None
    items = {item: (old, new, _effects(old, new, growth)) for item, (old, new) in pairs.items()}
    total = NO_EFFECT
    for _, _, effects in items.values():
        total = total.plus(effects)
    return Bridge(first, second, total, items)


def _sum(sides: Mapping[Item, Side]) -> Side:
    """Calls and cost of all items. Work of different items is not of one kind, so it has no sum."""
    return Side(calls=sum(side.calls for side in sides.values()), cost=sum(side.cost for side in sides.values()))


def _effects(old: Side, new: Side, growth: Fraction | None) -> Effects:
    if growth is None:
        # Nothing was called before: there is no mix and no price to compare with.
        return Effects(new.cost - old.cost, 0, 0, 0)
    grown = round(old.cost * growth)
    if not old.calls or not old.cost:
        moved = resized = new.cost
    else:
        moved = round(Fraction(old.cost * new.calls, old.calls))
        # Where work was not counted on both sides, calls are the only measure and size has no effect.
        known = old.work > 0 and new.work > 0
        resized = round(Fraction(old.cost * new.work, old.work)) if known else moved
    return Effects(grown - old.cost, moved - grown, resized - moved, new.cost - resized)
