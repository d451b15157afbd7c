"""When the database is slow, locked or gone: an answer in bounded time, 503 with Retry-After; never wrong or 500."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar
from zlib import crc32

import httpx
import psycopg
import pytest

from access import last_used
from access.services.api_keys import create_key
from entitlements.gate import connections
from entitlements.gate.app import Gate
from entitlements.gate.engine import Engine
from entitlements.gate.lane import Lane
from entitlements.models import Decision, Hold
from kernel.clock import utc_now
from kernel.errors import Unavailable
from kernel.sql_files import Statement
from tests.concurrency.line import Line
from tests.gate import test_dsn, with_gate
from tests.world import CREDIT, Actor, World, assert_ledger_explains

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")
Client = httpx.AsyncClient

BOUND_SECONDS = 60.0
"""No story waits longer than this for anything; what it waits for takes tenths of a second."""
CHECK = {"customer": "acme", "feature": "chat"}
TRIES = 50


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def acme(world: World) -> Actor:
    return Actor("acme", utc_now(), world.pro)


def bounded(story: Callable[[Client], Awaitable[T]], **options: Any) -> T:
    """Run a story against a gate, and fail it when it does not come to its end."""
    return with_gate(lambda client: asyncio.wait_for(story(client), BOUND_SECONDS), **options)


def over(line_story: Callable[[Client, Line], Awaitable[T]]) -> T:
    """Run a story against a gate whose line to the database can be tampered with."""
    _, token = create_key("trouble", ["check", "usage"], utc_now())

    async def run() -> T:
        async with Line(test_dsn()) as line:
            gate = Gate(line.dsn)
            transport = httpx.ASGITransport(app=gate)  # type: ignore[arg-type]
            headers = {"authorization": f"Bearer {token}"}
            try:
                async with Client(transport=transport, base_url="http://gate", headers=headers) as client:
                    return await asyncio.wait_for(line_story(client, line), BOUND_SECONDS)
            finally:
                await gate.close()

    return asyncio.run(run())


def hold(key: str, *, customer: str = "acme", credits: str = "10", ttl: int = 60) -> dict[str, Any]:
    asked = {"customer": customer, "feature": "chat", "estimate": {"credits": credits}}
    return asked | {"hold": {"key": key, "ttl_seconds": ttl}}


async def ask(client: Client, *bodies: dict[str, Any]) -> list[httpx.Response]:
    return list(await asyncio.gather(*(client.post("/v1/check", json=body) for body in bodies)))


async def ask_until_answered(client: Client, *bodies: dict[str, Any]) -> list[str]:
    """The same calls again and again, as callers do, until all have a decision; then these."""
    for _ in range(TRIES):
        answers = await ask(client, *bodies)
        refused = [answer for answer in answers if answer.status_code != 200]
        if not refused:
            return [answer.json()["decision"] for answer in answers]
        assert are_refused(refused)
    raise AssertionError(f"still refused at the try number {TRIES}: {refused}")


def are_refused(answers: Sequence[httpx.Response]) -> bool:
    """Whether all are the refusal a caller knows what to do with."""
    assert {answer.headers.get("retry-after") for answer in answers} == {"1"}
    return {(answer.status_code, answer.json()["code"]) for answer in answers} == {(503, "unavailable")}


@contextmanager
def locked(*actors: Actor) -> Iterator["psycopg.Connection[Any]"]:
    """Somebody else has the customers' balances locked, until he commits or the story ends."""
    with psycopg.connect(test_dsn()) as staff:
        staff.execute(
            "SELECT FROM balance WHERE customer_id = ANY(%s) FOR UPDATE", [[actor.row.pk for actor in actors]]
        )
        yield staff


async def until_waiting(sessions: int) -> None:
    """Return when so many of the gate's sessions wait for a lock."""
    async with await psycopg.AsyncConnection.connect(test_dsn(), autocommit=True) as watching:
        waiting = 0
        while waiting < sessions:
            cursor = await watching.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'weir-gate' AND wait_event_type = 'Lock'"
            )
            (waiting,) = await cursor.fetchone() or (0,)
            await asyncio.sleep(0.01)


def impatient(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    """Let the gate's sessions wait for as long as the setting says, and for nothing else."""
    monkeypatch.setattr(connections, "_OPTIONS", f"-c {setting} -c timezone=UTC")


# The database is gone.


def test_without_the_database_callers_are_told_so_and_go_on_when_it_is_back(acme: Actor) -> None:
    async def story(client: Client, line: Line) -> list[str]:
        await ask(client, *[hold(f"warm{number}", credits="0") for number in range(20)])
        line.cut()
        assert are_refused(await ask(client, hold("h1"), hold("h2"), CHECK, CHECK))
        line.mend()
        # A connection that broke is noticed when it is used: each costs some caller a refusal.
        return await ask_until_answered(client, hold("h1"), hold("h2"), CHECK)

    assert over(story) == ["allow"] * 3
    assert Hold.objects.exclude(held_microcredits=0).count() == 2
    assert_ledger_explains(acme.row.pk)


def test_a_gate_that_starts_before_the_database_serves_when_that_has_come(acme: Actor) -> None:
    async def story(client: Client, line: Line) -> list[str]:
        line.cut()
        assert are_refused(await ask(client, hold("h1"), CHECK))
        line.mend()
        return await ask_until_answered(client, hold("h1"), CHECK)

    assert over(story) == ["allow", "allow"]


@pytest.mark.parametrize("after", [0.002, 0.01, 0.03])
def test_whatever_a_cut_interrupts_is_done_once_when_it_is_said_again(acme: Actor, after: float) -> None:
    async def story(client: Client, line: Line) -> list[str]:
        bodies = [hold(f"h{number}") for number in range(50)]
        asked = asyncio.create_task(ask(client, *bodies))
        # Wherever the calls are by then: what must hold, holds at every moment.
        await asyncio.sleep(after)
        line.cut()
        assert {answer.status_code for answer in await asked} <= {200, 503}
        line.mend()
        return await ask_until_answered(client, *bodies)

    assert over(story).count("allow") == 10
    assert Hold.objects.count() == 10
    assert acme.balance(utc_now()).held == 100 * CREDIT
    assert_ledger_explains(acme.row.pk)


@pytest.mark.parametrize("credits", ["10", "1000"], ids=["allowed", "denied"])
@pytest.mark.parametrize("holding", [True, False], ids=["hold", "check"])
def test_a_commit_nobody_heard_of_is_answered_all_the_same(acme: Actor, credits: str, holding: bool) -> None:
    body = hold("h1", credits=credits)
    if not holding:
        del body["hold"]

    async def story(client: Client, line: Line) -> httpx.Response:
        await ask(client, CHECK)
        line.lose_the_next_commit()
        (answer,) = await ask(client, body)
        return answer

    answer = over(story)
    assert answer.status_code == 200
    assert answer.json()["decision"] == ("allow" if credits == "10" else "deny")
    assert Hold.objects.count() == (1 if holding and credits == "10" else 0)
    assert Decision.objects.count() <= 2


def test_a_line_that_falls_silent_is_given_up(acme: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", 0.5)

    async def story(client: Client, line: Line) -> list[httpx.Response]:
        await ask(client, hold("warm"))
        line.fall_silent()
        answers = await ask(client, hold("h1"), CHECK)
        line.cut()
        return answers

    assert are_refused(over(story))


def test_what_was_used_when_is_stored_again_once_the_database_is_back(acme: Actor) -> None:
    """The task that stores it goes on for as long as the process does: only a problem it knows may leave it."""

    async def story(client: Client, line: Line) -> None:
        engine = Engine(line.dsn)
        last_used.touch(1)
        await engine.touch_keys(utc_now())
        line.cut()
        last_used.touch(1)
        with pytest.raises(Unavailable):
            await engine.touch_keys(utc_now())
        await engine.close()

    over(story)


# The database is slow.


@pytest.mark.parametrize("setting", ["lock_timeout=500ms", "statement_timeout=2s"])
def test_whoever_waits_in_vain_for_a_locked_customer_is_told(
    acme: Actor, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    impatient(monkeypatch, setting)

    async def story(client: Client) -> list[str]:
        with locked(acme):
            assert are_refused(await ask(client, *[hold(f"h{number}") for number in range(5)]))
        return await ask_until_answered(client, *[hold(f"h{number}") for number in range(5)])

    assert bounded(story) == ["allow"] * 5
    assert Hold.objects.count() == 5
    assert_ledger_explains(acme.row.pk)


def test_one_locked_customer_does_not_keep_the_others_waiting(
    world: World, acme: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [Actor(f"other{number}", utc_now(), world.pro).key for number in range(3)]
    impatient(monkeypatch, f"lock_timeout={BOUND_SECONDS:.0f}s")

    async def story(client: Client) -> list[httpx.Response]:
        with locked(acme) as staff:
            stuck = asyncio.create_task(ask(client, hold("h")))
            await until_waiting(1)
            spared = await ask(client, *[hold("h", customer=other) for other in others], CHECK)
            assert not stuck.done()
            staff.commit()
            return [*spared, *await stuck]

    assert {answer.status_code for answer in bounded(story)} == {200}


def test_with_every_writing_session_busy_calls_wait_their_turn_and_reads_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Four batches of each lane's.
    keys = sorted((f"blocked{number}" for number in range(40)), key=lambda key: crc32(key.encode()) % 2)
    blocked = [Actor(key, utc_now(), world.pro) for key in (*keys[:4], *keys[-4:])]
    acme = Actor("acme", utc_now(), world.pro)
    impatient(monkeypatch, f"lock_timeout={BOUND_SECONDS:.0f}s")

    async def story(client: Client) -> list[str]:
        await ask(client, CHECK)
        with locked(*blocked) as staff:
            asked = []
            for number, actor in enumerate(blocked, start=1):
                asked.append(asyncio.create_task(ask(client, hold("h", customer=actor.key))))
                await until_waiting(number)
            asked += [asyncio.create_task(ask(client, hold(f"h{number}"))) for number in range(50)]
            assert [answer.status_code for answer in await ask(client, CHECK)] == [200]
            staff.commit()
            return [answer.json()["decision"] for (answer,) in await asyncio.gather(*asked)]

    assert bounded(story).count("allow") == len(blocked) + 10
    assert acme.balance(utc_now()).held == 100 * CREDIT
    assert_ledger_explains(acme.row.pk)


def test_a_session_that_stalls_with_locks_in_hand_is_ended(acme: Actor) -> None:
    async def story(client: Client) -> str:
        pool = connections.Connections(test_dsn(), most=1)
        locking = Statement("SELECT FROM balance WHERE customer_id = %(id)s FOR UPDATE", {"id": acme.row.pk})
        with pytest.raises(psycopg.OperationalError):
            async with pool.one() as stalling:
                assert await stalling.ask(plain("SHOW idle_in_transaction_session_timeout")) == [("5s",)]
                await stalling.ask(plain("SET idle_in_transaction_session_timeout = '300ms'"))
                await stalling.run([plain("BEGIN"), locking])
                (answer,) = await ask(client, hold("h1"))
                await stalling.ask(plain("COMMIT"))
        decision: str = answer.json()["decision"]
        return decision

    assert bounded(story) == "allow"


def test_a_connection_somebody_waited_for_in_vain_is_not_lost() -> None:
    async def story() -> None:
        pool = connections.Connections(test_dsn(), most=1)
        async with pool.one():
            waiting = asyncio.create_task(_use(pool))
            await asyncio.sleep(0)
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting
        await _use(pool)
        await pool.close()

    asyncio.run(asyncio.wait_for(story(), BOUND_SECONDS))


def test_calls_beyond_the_backlog_are_refused_and_not_kept() -> None:
    async def story() -> list[Any]:
        began, go_on = asyncio.Event(), asyncio.Event()

        async def run(calls: Sequence[int]) -> Sequence[int]:
            began.set()
            await go_on.wait()
            return calls

        lane: Lane[int, int] = Lane(run, few=1, most=2, backlog=3)

        async def submit(number: int) -> int:
            return await lane.submit(number)

        first = asyncio.create_task(submit(0))
        await began.wait()
        waiting = [asyncio.create_task(submit(number)) for number in range(1, 6)]
        await asyncio.sleep(0)
        go_on.set()
        return await asyncio.gather(first, *waiting, return_exceptions=True)

    *served, one_more, another = asyncio.run(story())
    assert served == [0, 1, 2, 3]
    assert isinstance(one_more, Unavailable)
    assert isinstance(another, Unavailable)


# Callers and colliding transactions.


@pytest.mark.parametrize("after", [0.0, 0.001, 0.005, 0.02])
def test_a_caller_who_hangs_up_strands_nothing_beyond_the_holds_time(acme: Actor, after: float) -> None:
    now = utc_now()
    clock = [now]

    async def story(client: Client) -> list[str]:
        await ask(client, CHECK)
        asked = asyncio.create_task(ask(client, hold("h1", credits="100")))
        await asyncio.sleep(after)
        asked.cancel()
        with suppress(asyncio.CancelledError):
            await asked
        again = await ask(client, hold("h1", credits="100"))
        clock[0] = now + timedelta(seconds=61)
        following = await ask(client, hold("h2", credits="100"))
        return [answer.json()["decision"] for answer in (*again, *following)]

    assert bounded(story, clock=lambda: clock[0]) == ["allow", "allow"]
    assert_ledger_explains(acme.row.pk)


@pytest.mark.parametrize("error", [psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected])
def test_what_passes_is_tried_again_and_what_does_not_is_told(
    acme: Actor, monkeypatch: pytest.MonkeyPatch, error: type[psycopg.Error]
) -> None:
    really, failures = Engine._write_once, [1]

    async def colliding(engine: Engine, calls: Any) -> Any:
        if failures[0]:
            failures[0] -= 1
            raise error
        return await really(engine, calls)

    async def moved(*_: object) -> None:
        """What was decided on has changed, always: then accounts are locked."""

    monkeypatch.setattr("entitlements.gate.engine._try_all", moved)
    monkeypatch.setattr(Engine, "_write_once", colliding)

    async def story(client: Client) -> list[httpx.Response]:
        passing = await ask(client, hold("h1"))
        failures[0] = TRIES
        return [*passing, *await ask(client, hold("h2"))]

    passing, lasting = bounded(story)
    assert passing.json()["decision"] == "allow"
    assert are_refused([lasting])


def plain(sql: str) -> Statement:
    return Statement(sql, {})


async def _use(pool: connections.Connections) -> None:
    async with pool.one() as connection:
        assert await connection.ask(plain("SELECT 1")) == [(1,)]
