"""Nothing is spent twice: over real HTTP, through one web process and through two, whoever asks and how often.

WEIR_ROUNDS=1000 plays longer.
"""

import asyncio
import os
from collections.abc import Iterator

import pytest

from entitlements.audit import audit
from entitlements.models import Balance, Hold
from kernel.clock import utc_now
from tests.concurrency.stories import NEEDED, STORIES, WINNERS, play
from tests.concurrency.web import WebProcess
from tests.world import CREDIT, Actor, World

ROUNDS = int(os.environ.get("WEIR_ROUNDS", "8"))


@pytest.mark.slow
def test_of_fifty_callers_at_once_exactly_ten_get_their_ten_credits(webs: list[WebProcess], key: str) -> None:
    games = list(customers(World()))
    assert asyncio.run(play([web.port for web in webs], key, games)) == {}
    assert Hold.objects.count() == len(games) * WINNERS
    assert set(Balance.objects.values_list("held_microcredits", flat=True)) == {100 * CREDIT}
    assert broken_promises() == []


def broken_promises() -> list[str]:
    """What the audit finds. (One guard is switched off where tests that commit are undone: tests/conftest.py.)"""
    return [
        fault.what for outcome in audit() for fault in outcome.faults if outcome.check.name != "guards_are_in_force"
    ]


def customers(world: World) -> Iterator[tuple[str, str]]:
    """For each round and story a customer of its own, who starts with a hundred credits or what the story needs."""
    for number in range(ROUNDS):
        for story in STORIES:
            customer = Actor(f"{story}-{number}", utc_now(), world.pro)
            if story in NEEDED:
                customer.is_granted(NEEDED[story] - 100)
            yield story, customer.key
