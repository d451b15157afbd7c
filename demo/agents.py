"""How the company's agents start agents of their own: a tree of runs for each job. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from random import Random
from typing import Final

import msgspec

from demo.reported import Reported

DEEPEST: Final = 4
_STARTS_ANOTHER, _REPORTS_BACK = 0.15, 0.3
"""How likely it is after a step."""


class AgentRun(msgspec.Struct, frozen=True):
    """A run as the product opens it before the first call in it, and closes it once all is told that it did."""

    opened_at: datetime
    closed_at: datetime
    customer: str
    key: str
    parent: str
    """"" of an outermost run, whose end is that of those inside it."""
    user: str


def nesting(key: str, steps: int, random: Random) -> Iterator[str]:
    """In which run each step of a job happens: `key` itself, the second one it starts ("key.2"), that one's first …"""
    started: Counter[str] = Counter()
    inside = [key]
    for _ in range(steps):
        yield inside[-1]
        if len(inside) < DEEPEST and random.random() < _STARTS_ANOTHER:
            started[inside[-1]] += 1
            inside.append(f"{inside[-1]}.{started[inside[-1]]}")
        elif len(inside) > 1 and random.random() < _REPORTS_BACK:
            inside.pop()


def runs_of(calls: Iterable[Reported]) -> Sequence[AgentRun]:
    """The runs behind the calls, in the order they are opened."""
    found: dict[tuple[str, str], AgentRun] = {}
    for call in calls:
        fact, key = call.fact, call.fact.run_key
        while key:
            parent = key.rpartition(".")[0]
            known = found.get((call.customer, key))
            found[call.customer, key] = AgentRun(
                min(known.opened_at, fact.occurred_at) if known else fact.occurred_at,
                max(known.closed_at, call.received_at) if known else call.received_at,
                call.customer,
                key,
                parent,
                fact.user_key,
            )
            key = parent
    return sorted(found.values(), key=lambda run: (run.opened_at, run.customer, run.key))
