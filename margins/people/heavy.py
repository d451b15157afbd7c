"""How cost is spread over those who cause it, and who causes most of it. Pure; whole numbers of any one unit."""

from collections.abc import Sequence
from typing import Final, NamedTuple

TOP_PERCENTS: Final = (1, 5, 10)
"""The heaviest per cent of people whose share of all cost is shown."""

CURVE_POINTS: Final = 100


class Top(NamedTuple):
    """The heaviest `percent` of people: how many that is (rounded up), and what they cost together."""

    percent: int
    people: int
    cost: int


class Concentration(NamedTuple):
    """How cost is held. `median` and `p95` are costs of one person, nearest rank; 0 when there is nobody."""

    people: int
    cost: int
    tops: tuple[Top, ...]
    median: int
    p95: int


def concentration(costs: Sequence[int]) -> Concentration:
    """What the heaviest few hold of all cost. One number per person, in any order, those who cost nothing included."""
    heaviest = sorted(costs, reverse=True)
    tops = []
    for percent in TOP_PERCENTS:
        people = -(-len(heaviest) * percent // 100)
        tops.append(Top(percent, people, sum(heaviest[:people])))
    middle = heaviest[rank_from_top(len(heaviest), 50)] if heaviest else 0
    p95 = heaviest[rank_from_top(len(heaviest), 95)] if heaviest else 0
    return Concentration(len(heaviest), sum(heaviest), tuple(tops), middle, p95)


def rank_from_top(people: int, percentile: int) -> int:
    """Where the person at a percentile stands, heaviest first, from 0.

    Nearest rank: the least cost that at least `percentile` per cent of people do not exceed.
    """
    return people - max(1, -(-people * percentile // 100))


def curve(costs: Sequence[int], points: int = CURVE_POINTS) -> list[tuple[int, int]]:
    """(people, cost) cumulated from the heaviest on, from (0, 0) to everyone, in at most `points` steps."""
    heaviest = sorted(costs, reverse=True)
    steps = min(points, len(heaviest))
    stops = {len(heaviest) * step // steps for step in range(1, steps + 1)}
    found, upto = [(0, 0)], 0
    for number, cost in enumerate(heaviest, start=1):
        upto += cost
        if number in stops:
            found.append((number, upto))
    return found


def share_of_user(*, per_head: int, by_use: int, users: int, charged: int, charged_of_all: int) -> int:
    """The part of a customer's revenue that one of its users brings.

    What is paid whatever is used (a plan's price, breakage) is divided by head; what is paid for use
    (bought credits, overage) by the credits each charged, by head too where nothing was charged. By
    use alone, a flat price would seem to be paid by whoever uses most. Rounded down: no user is said
    to bring more than its part.
    """
    if not charged_of_all:
        return (per_head + by_use) // users
    return per_head // users + by_use * charged // charged_of_all
