"""Accounts kept between batches: nobody decides on one that somebody else has changed, and most calls load nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from django.db import connection

from access.services.api_keys import create_key
from entitlements.core.account import Account
from entitlements.gate.app import Gate
from entitlements.gate.engine import Engine
from entitlements.gate.kept import CONTENDED_SECONDS, KeptAccounts
from entitlements.models import Entitlement, Hold
from entitlements.services.customers import CustomerDetails, upsert_customer
from entitlements.services.grants import void_grant
from entitlements.services.low_balance import tell_when_below
from entitlements.services.spend_cap import set_spend_cap
from entitlements.services.standing import set_overdue
from entitlements.services.subscriptions import end_subscription, subscribe
from entitlements.store.accounts import Wanted
from kernel.clock import utc_now
from metering.archive import archive_events
from metering.models import UsageEvent
from tests.accounts import account as new_account
from tests.gate import aside, event, test_dsn, with_gate
from tests.world import CREDIT, Actor, World, assert_ledger_explains

T = TypeVar("T")
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def acme(world: World) -> Actor:
    return Actor("acme", utc_now(), world.pro)


def with_two_gates(story: Callable[[httpx.AsyncClient, httpx.AsyncClient], Awaitable[T]], **options: Any) -> T:
    """Run a story against two gates, which know no more of each other than two processes do."""
    _, token = create_key("story", ["check", "usage"], utc_now())
    headers = {"authorization": f"Bearer {token}"}

    async def run() -> T:
        async with AsyncExitStack() as stack:
            clients = []
            for _ in range(2):
                gate = Gate(test_dsn(), **options)
                stack.push_async_callback(gate.close)
                transport = httpx.ASGITransport(app=gate)  # type: ignore[arg-type]
                client = httpx.AsyncClient(transport=transport, base_url="http://gate", headers=headers)
                clients.append(await stack.enter_async_context(client))
            return await story(*clients)

    return asyncio.run(run())


def question(key: str | None = None, credits: str = "10", **parts: Any) -> dict[str, Any]:
    hold = {} if key is None else {"hold": {"key": key, "ttl_seconds": 600}}
    return (
        {"customer": "acme", "feature": "chat", "model": "gpt-4o-mini", "estimate": {"credits": credits}} | hold | parts
    )


def archive(directory: Path) -> None:
    archive_events(
        before=utc_now() - 30 * DAY, directory=directory, customer_id=None, now=utc_now(), moved=lambda *_: None
    )


async def check(client: httpx.AsyncClient, *arguments: Any, **parts: Any) -> dict[str, Any]:
    answer = await client.post("/v1/check", json=question(*arguments, **parts))
    said: dict[str, Any] = answer.json()
    return said


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What gates load from now on."""
    really, seen = Engine._load, []

    async def counted(engine: Engine, *arguments: Any, **options: Any) -> Any:
        seen.append(arguments)
        return await really(engine, *arguments, **options)

    monkeypatch.setattr(Engine, "_load", counted)
    return seen


@pytest.mark.django_db(transaction=True)
def test_nothing_is_kept_of_a_server_that_was_lost(acme: Actor, loads: list[Any]) -> None:
    """Another may have taken its place: one that never heard of the last transactions, and gives their numbers anew."""

    async def story(client: httpx.AsyncClient) -> None:
        await check(client, "h1")
        await check(client, "h2")
        before = len(loads)
        await aside(end_sessions_of_gates)
        await asyncio.sleep(0.05)
        assert (await check(client, "h3"))["decision"] == "allow"
        assert len(loads) == before + 1

    with_gate(story)


def end_sessions_of_gates() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name = 'weir-gate'"
        )


@pytest.mark.django_db(transaction=True)
def test_what_is_kept_is_not_loaded_again(acme: Actor, loads: list[Any]) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        first = await check(client, "h0")
        before = len(loads)
        for number in range(1, 4):
            assert (await check(client, f"h{number}"))["decision"] == "allow"
            assert (await check(client))["decision"] == "allow"
            assert (await client.post("/v1/usage", json=event(f"e{number}"))).status_code == 201
        settled = await client.post(f"/v1/holds/{first['hold']['id']}/settle", json={"credits": "3"})
        assert settled.status_code == 200
        assert len(loads) == before

    with_gate(story)
    assert_ledger_explains(acme.row.pk)


@pytest.mark.django_db(transaction=True)
def test_two_processes_in_turn_never_give_the_same_credits_twice(acme: Actor) -> None:
    async def story(*clients: httpx.AsyncClient) -> list[str]:
        return [(await check(clients[number % 2], f"h{number}"))["decision"] for number in range(14)]

    assert with_two_gates(story) == ["allow"] * 10 + ["deny"] * 4
    assert acme.balance(utc_now()).held == 100 * CREDIT
    assert_ledger_explains(acme.row.pk)


@pytest.mark.django_db(transaction=True)
def test_a_hold_of_one_process_is_settled_and_voided_by_the_other(acme: Actor) -> None:
    async def story(one: httpx.AsyncClient, other: httpx.AsyncClient) -> list[Any]:
        first, second = [await check(one, key) for key in ("h1", "h2")]
        await check(other)
        settled = await other.post(f"/v1/holds/{first['hold']['id']}/settle", json={"credits": "4"})
        voided = await other.post(f"/v1/holds/{second['hold']['id']}/void")
        again = await one.post(f"/v1/holds/{first['hold']['id']}/settle", json={"credits": "4"})
        return [settled.status_code, voided.status_code, again.json()["status"], (await check(one))["balance"]]

    *statuses, balance = with_two_gates(story)
    assert statuses == [200, 200, "duplicate"]
    assert (balance["posted"], balance["held"]) == ("96", "0")
    assert_ledger_explains(acme.row.pk)


@pytest.mark.django_db(transaction=True)
def test_a_key_used_in_another_process_is_known(acme: Actor) -> None:
    async def story(one: httpx.AsyncClient, other: httpx.AsyncClient) -> list[Any]:
        await check(other, "warm")
        first = await check(one, "h1")
        await one.post("/v1/usage", json=event("e1"))
        again = await check(other, "h1")
        repeated = await other.post("/v1/usage", json=event("e1"))
        reused = await other.post("/v1/check", json=question("h1", credits="11"))
        return [first["hold"] == again["hold"], repeated.json()["status"], reused.status_code]

    assert with_two_gates(story) == [True, "duplicate", 409]
    assert Hold.objects.count() == 2
    assert UsageEvent.objects.count() == 1
    assert_ledger_explains(acme.row.pk)


@pytest.mark.django_db(transaction=True)
def test_a_key_used_in_another_process_is_known_also_where_it_would_be_denied_now(world: World, acme: Actor) -> None:
    lease = {"customer": "acme", "feature": "chat", "key": "l1", "credits": "5", "ttl_seconds": 600}

    async def story(one: httpx.AsyncClient, other: httpx.AsyncClient) -> list[Any]:
        first, leased = await check(one, "h1"), await one.post("/v1/leases", json=lease)
        await one.post("/v1/usage", json=event("e1"))
        await check(other, "rest", credits="84.86")
        assert (await check(other, "none", credits="1"))["decision"] == "deny"
        again, leased_again = await check(other, "h1"), await other.post("/v1/leases", json=lease)
        unknown = await other.post("/v1/usage", json=event("e1", feature="nonsense"))
        return [
            again == first,
            leased_again.json()["hold"] == leased.json()["hold"],
            unknown.json()["code"],
        ]

    assert with_two_gates(story) == [True, True, "key_reused"]
    assert_ledger_explains(acme.row.pk)


@pytest.mark.django_db(transaction=True)
def test_a_key_that_was_archived_is_known(world: World, tmp_path: Path) -> None:
    then = utc_now() - 90 * DAY
    Actor("acme", then, world.pro)

    async def story(one: httpx.AsyncClient, other: httpx.AsyncClient) -> list[str]:
        old = event("old", occurred_at=then.isoformat())
        first = await one.post("/v1/usage", json=old)
        await aside(archive, tmp_path)
        await other.post("/v1/usage", json=event("new"))
        again = await other.post("/v1/usage", json=old)
        return [first.json()["status"], again.json()["status"]]

    assert with_two_gates(story) == ["accepted", "duplicate"]
    assert UsageEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_staff_do_acts_on_the_next_call(world: World, acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[Any]:
        said = [(await check(client, "h1", credits="101"))["decision"]]
        await aside(acme.is_granted, 50)
        said.append((await check(client, "h2", credits="101"))["decision"])
        await aside(
            Entitlement.objects.create, customer=acme.row, feature=world.chat, allowed=False, starts_at=utc_now()
        )
        said.append((await check(client, "h3", credits="1"))["reason"])
        await aside(Entitlement.objects.all().delete)
        said.append((await check(client, "h4", credits="1"))["decision"])
        return said

    assert with_gate(story) == ["deny", "allow", "not_entitled", "allow"]


@pytest.mark.django_db(transaction=True)
def test_a_right_of_the_customers_own_begins_and_ends_at_its_instant(world: World, acme: Actor) -> None:
    now = utc_now()
    clock = [now]
    Entitlement.objects.create(
        customer=acme.row, feature=world.chat, allowed=False, starts_at=now + DAY / 2, ends_at=now + DAY
    )

    async def story(client: httpx.AsyncClient) -> list[str]:
        said: list[str] = []
        for hours in (0, 11.99, 12, 13, 23.99, 24):
            clock[0] = now + timedelta(hours=hours)
            said += [(await check(client, key, credits="1"))["decision"] for key in (None, f"h{hours}")]
        return said

    assert with_gate(story, clock=lambda: clock[0]) == ["allow"] * 4 + ["deny"] * 6 + ["allow"] * 2


@pytest.mark.django_db(transaction=True)
def test_what_happens_by_itself_happens_to_a_kept_account_in_time(acme: Actor) -> None:
    now = utc_now()
    clock = [now]

    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        balances = []
        for minutes in (0, 9.99, 10, 60 * 24 * 32):
            clock[0] = now + timedelta(minutes=minutes)
            balances.append((await check(client, f"h{minutes}"))["balance"])
        return balances

    held = [(each["posted"], each["held"]) for each in with_gate(story, clock=lambda: clock[0])]
    assert held == [("100", "10"), ("100", "20"), ("100", "20"), ("100", "10")]
    assert_ledger_explains(acme.row.pk)


WRITES: dict[str, Callable[[World, Actor], object]] = {
    "a grant": lambda _, acme: acme.is_granted(5),
    "a voided grant": lambda _, acme: void_grant(
        "acme", acme.is_granted(5).id, actor="ann", reason="wrong", now=utc_now()
    ),
    "usage": lambda _, acme: acme.spends(1, key="e1"),
    "a plan": lambda world, _: subscribe("acme", world.metered, utc_now()),
    "no plan": lambda *_: end_subscription("acme", utc_now()),
    "a spend cap": lambda *_: set_spend_cap("acme", 5, utc_now()),
    "a mark": lambda *_: tell_when_below("acme", 5, utc_now()),
    "an overdue payment": lambda *_: set_overdue("acme", utc_now(), utc_now()),
    "a time zone": lambda *_: upsert_customer("acme", CustomerDetails(time_zone="Europe/Berlin"), utc_now()),
    "a right": lambda world, acme: Entitlement.objects.create(
        customer=acme.row, feature=world.chat, allowed=True, starts_at=utc_now()
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("write", WRITES)
def test_whoever_changes_anything_of_an_account_moves_its_balance_row(world: World, acme: Actor, write: str) -> None:
    before = version(acme)
    WRITES[write](world, acme)
    assert version(acme) != before


@pytest.mark.django_db(transaction=True)
def test_a_right_that_is_changed_or_taken_back_moves_the_account(world: World, acme: Actor) -> None:
    right = Entitlement.objects.create(customer=acme.row, feature=world.chat, allowed=True, starts_at=utc_now())
    before = version(acme)
    right.allowed = False
    right.save()
    changed = version(acme)
    right.delete()
    assert len({before, changed, version(acme)}) == 3


def version(actor: Actor) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin::text::bigint FROM balance WHERE customer_id = %s", [actor.row.pk])
        (found,) = cursor.fetchone()
    return int(found)


# What is kept, and for how long: no database.


def kept(number: int = 7, **parts: Any) -> Account:
    return new_account(customer_id=number, key=f"c{number}", **parts)


def wanted(*customers: str | int, **named: Any) -> Wanted:
    them = Wanted()
    for customer in customers:
        for name, value in named.items():
            setattr(them[customer], name, value)
        them[customer]
    return them


def test_the_account_not_used_for_longest_goes_first(now: datetime) -> None:
    shelf = KeptAccounts(most=2)
    for number in (1, 2, 1, 3):
        shelf.put(kept(number), 5)
    assert [bool(shelf.known(wanted(f"c{number}"), now)) for number in (1, 2, 3)] == [True, False, True]
    assert shelf.known(wanted(2), now) == {}


@pytest.mark.parametrize("instant", ["valid_until", "holds_until", "rights_until"])
def test_an_account_is_good_until_something_happens_to_it(now: datetime, instant: str) -> None:
    shelf = KeptAccounts()
    shelf.put(kept(**{instant: now}), 5)
    assert shelf.known(wanted(7), now - timedelta(microseconds=1))
    assert not shelf.known(wanted(7), now)


def test_what_is_not_there_is_not_known(now: datetime) -> None:
    shelf = KeptAccounts()
    shelf.put(kept(scopes={"", "user:ann"}), 5)
    assert shelf.known(wanted("c7", scope_keys={"user:ann"}), now)
    assert not shelf.known(wanted("c7", scope_keys={"user:bob"}), now)
    assert not shelf.known(wanted("c7", hold_ids={now}), now)
    assert not shelf.known(wanted("c7", whole=True), now)
    # Wanted by key and by id: by both or not at all.
    both = wanted("c7") | wanted(7, whole=True)
    assert shelf.known(Wanted(both), now) == {}


def test_an_account_that_is_out_or_was_changed_by_somebody_else_is_contended_for_a_while() -> None:
    seconds = [0.0]
    shelf = KeptAccounts(clock=lambda: seconds[0])
    shelf.put(kept(), 5)
    shelf.take([7])
    assert [shelf.is_contended(7), shelf.is_contended("c7"), shelf.is_contended("c8")] == [True, True, False]
    shelf.release([7])
    assert not shelf.is_contended(7)
    shelf.avoid([7])
    assert shelf.is_contended("c7")
    seconds[0] = CONTENDED_SECONDS
    assert not shelf.is_contended("c7")
