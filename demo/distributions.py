"""How large real calls are, and when they come: published figures, drawn from by inverse transform.

The tables are quantiles (per cent, tokens) of public traces; demo/traces.py names the sources. Real
token counts have heavy tails: of Mooncake's calls one in a hundred is twelve times as long as the
median one. Made-up normal numbers would hide exactly what a margin report is for.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from random import Random
from typing import Final

Quantiles = tuple[tuple[int, int], ...]
"""(per cent, tokens), from the least (0) to the most (100)."""

# Azure LLM inference trace 2023, conversation service, 19,366 calls.
CONVERSATION_INPUT: Final[Quantiles] = (
    (0, 2), (5, 181), (25, 396), (50, 1020), (75, 1189), (90, 2735), (99, 4142), (100, 14050),
)  # fmt: skip
CONVERSATION_OUTPUT: Final[Quantiles] = (
    (0, 7), (5, 41), (25, 85), (50, 129), (75, 395), (90, 424), (99, 601), (100, 1000),
)  # fmt: skip

# The same, code completion service, 8,819 calls.
COMPLETION_INPUT: Final[Quantiles] = (
    (0, 3), (5, 75), (25, 578), (50, 1469), (75, 2745), (90, 5194), (99, 7436), (100, 7437),
)  # fmt: skip
COMPLETION_OUTPUT: Final[Quantiles] = (
    (0, 6), (5, 6), (25, 9), (50, 13), (75, 24), (90, 55), (99, 252), (100, 1899),
)  # fmt: skip

# Mooncake (Kimi), conversation trace, 12,031 calls: long contexts.
LONG_INPUT: Final[Quantiles] = (
    (0, 891), (5, 901), (25, 2306), (50, 6909), (75, 15368), (90, 27367), (99, 85401), (100, 126195),
)  # fmt: skip
LONG_OUTPUT: Final[Quantiles] = (
    (0, 1), (5, 10), (25, 156), (50, 350), (75, 472), (90, 597), (99, 1120), (100, 2000),
)  # fmt: skip

LONG_CACHED_SHARE: Final = 0.29
"""Share of Mooncake's input tokens that a five-minute prompt cache would have served."""


def draw(table: Quantiles, random: Random) -> int:
    """A number that falls as the table's do: log-linear between its quantiles, since the tails are."""
    percent = random.random() * 100
    for (low, smallest), (high, largest) in pairwise(table):
        if percent <= high:
            part = (percent - low) / (high - low)
            return round(math.exp(math.log(smallest) * (1 - part) + math.log(largest) * part))
    return table[-1][1]


# Relative traffic of the hours of a working day, at the customer's place: a quiet night, two humps.
_HOURS: Final = (2, 1, 1, 1, 1, 2, 4, 8, 14, 19, 21, 20, 16, 18, 20, 20, 18, 14, 10, 9, 8, 7, 5, 3)
_DAYS: Final = (1.0, 1.08, 1.1, 1.06, 0.94, 0.36, 0.3)
"""Monday to Sunday."""


class Rhythm:
    """The hours of a stretch of time, weighted by how busy people at a place are in them."""

    def __init__(self, start: datetime, hours: int, *, utc_offset: int) -> None:
        self._start = start
        there = [start + timedelta(hours=hour + utc_offset) for hour in range(hours)]
        weights = [_HOURS[time.hour] * _DAYS[time.weekday()] for time in there]
        self._upto = [0.0, *accumulate(weights)]

    def draw(self, random: Random, since: datetime, until: datetime) -> datetime:
        """An instant in [since, until), more likely when more is going on."""
        first, last = self._upto_at(since), self._upto_at(until)
        target = first + random.random() * (last - first)
        hour = bisect_right(self._upto, target) - 1
        part = (target - self._upto[hour]) / (self._upto[hour + 1] - self._upto[hour])
        return self._start + timedelta(seconds=int((hour + part) * 3600))

    def share(self, since: datetime, until: datetime) -> float:
        """The part of the whole stretch's traffic that falls in [since, until)."""
        return (self._upto_at(until) - self._upto_at(since)) / self._upto[-1]

    def _upto_at(self, instant: datetime) -> float:
        """The weight of everything before an instant."""
        hours = (instant - self._start) / timedelta(hours=1)
        whole = min(max(int(hours), 0), len(self._upto) - 2)
        part = min(max(hours - whole, 0.0), 1.0)
        return self._upto[whole] * (1 - part) + self._upto[whole + 1] * part


def pick(random: Random, weights: Sequence[float]) -> int:
    """An index, as likely as its weight says."""
    upto = list(accumulate(weights))
    return bisect_right(upto, random.random() * upto[-1], hi=len(upto) - 1)
