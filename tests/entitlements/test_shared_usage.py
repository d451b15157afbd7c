"""What limits many customers share have used: read seldom, kept for a stated age, never for another day."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from entitlements.store.shared import SharedUsage
from kernel.sql_files import Statement
from plans.catalogue import Catalogue
from plans.terms import LimitTerms
from tests.shop import catalogue, plan


def breaker(limit_id: int = 7) -> LimitTerms:
    return LimitTerms(limit_id, "breaker", "plan", None, None, None, "calls", "day", "hard", 10, ())


class Database:
    """Counts how often it is asked; may be slow to answer."""

    def __init__(self) -> None:
        self.asked = 0
        self.ready = asyncio.Event()
        self.ready.set()

    async def ask(self, _: Statement) -> list[tuple[int, int]]:
        self.asked += 1
        await self.ready.wait()
        return [(7, self.asked)]


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def story(shop: Catalogue, tell: Any) -> None:
    async def run() -> None:
        clock, database = Clock(), Database()
        await tell(SharedUsage(max_age_seconds=5, clock=clock), shop, database, clock)

    asyncio.run(run())


def test_a_catalogue_without_such_limits_asks_nothing(now: datetime) -> None:
    async def tell(usage: SharedUsage, shop: Catalogue, database: Any, clock: Clock) -> None:
        assert await usage.of(shop, now, database) == {}
        clock.seconds = 1000
        assert await usage.of(shop, now, database) == {}
        assert database.asked == 0

    story(catalogue(), tell)


def test_figures_are_kept_for_half_their_age_and_then_read_anew(now: datetime) -> None:
    async def tell(usage: SharedUsage, shop: Catalogue, database: Any, clock: Clock) -> None:
        for seconds, used in ((0, 1), (2.4, 1), (2.5, 2), (4.9, 2), (5, 3)):
            clock.seconds = seconds
            assert await usage.of(shop, now, database) == {7: used}

    story(catalogue(plan(limits=(breaker(),))), tell)


def test_while_one_reads_the_others_go_on_until_the_figures_are_too_old(now: datetime) -> None:
    async def tell(usage: SharedUsage, shop: Catalogue, database: Any, clock: Clock) -> None:
        await usage.of(shop, now, database)
        clock.seconds = 3
        database.ready.clear()
        slow = asyncio.create_task(usage.of(shop, now, database))
        await asyncio.sleep(0)
        assert await usage.of(shop, now, database) == {7: 1}
        assert database.asked == 2
        clock.seconds = 5
        impatient = asyncio.create_task(usage.of(shop, now, database))
        await asyncio.sleep(0)
        assert database.asked == 3
        database.ready.set()
        await asyncio.gather(slow, impatient)

    story(catalogue(plan(limits=(breaker(),))), tell)


def test_another_day_or_another_catalogue_is_read_at_once(now: datetime) -> None:
    async def tell(usage: SharedUsage, shop: Catalogue, database: Any, clock: Clock) -> None:
        await usage.of(shop, now, database)
        await usage.of(shop, now + timedelta(days=1), database)
        assert database.asked == 2
        shop.revision += 1
        await usage.of(shop, now + timedelta(days=1), database)
        assert database.asked == 3

    story(catalogue(plan(limits=(breaker(),))), tell)
