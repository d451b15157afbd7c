"""Which function brings our rows in line with which kind of object at Stripe."""

from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec

Converger = Callable[[str, datetime], None]
"""``converge(object_id, now)``: fetch the object as it is now and make our rows agree, however often it is called."""


class Finding(msgspec.Struct, frozen=True):
    """Something that was not in line, in words, and whether it is now."""

    what: str
    repaired: bool


Sweeper = Callable[[datetime, bool], Iterator[Finding]]
"""``sweep(now, repair)``: look at objects that may have changed unheard, say what was not in line, and repair it if so
asked."""

_convergers: dict[str, list[Converger]] = {}


def converges(*object_types: str) -> Callable[[Converger], Converger]:
    """Register a function for objects by Stripe's name of their kind: ``@converges("subscription")``.

    Several may care about one kind; each leaves alone what is not its own. A converger fetches outside a transaction,
    under `one_at_a_time`, and writes in one. It may raise: the event is tried again later.
    """

    def register(converger: Converger) -> Converger:
        for object_type in object_types:
            registered = _convergers.setdefault(object_type, [])
            if converger not in registered:
                registered.append(converger)
        return converger

    return register


_sweepers: list[Sweeper] = []


def sweeps(sweeper: Sweeper) -> Sweeper:
    """Register a function the sweep calls after it has worked off the events that were missed."""
    if sweeper not in _sweepers:
        _sweepers.append(sweeper)
    return sweeper


def sweepers() -> Iterator[Sweeper]:
    """What else the sweep looks at."""
    yield from _sweepers


def convergers_of(object_type: str) -> Iterator[Converger]:
    """Who cares about objects of a kind."""
    yield from _convergers.get(object_type, ())


def is_converged(object_type: str) -> bool:
    """Whether anybody does. Events of other objects are not kept."""
    return object_type in _convergers
