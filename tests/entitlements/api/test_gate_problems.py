"""The OpenAPI document names every refusal the gate has of its own, and no other: each is provoked here."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from config.docs_views import document
from entitlements.api.gate_problems import PROBLEMS
from entitlements.models import Balance, MarginFigure, MarginGuard
from entitlements.services.standing import set_overdue
from tests.gate import event, with_gate
from tests.world import Actor, World

pytestmark = pytest.mark.django_db(transaction=True)

Post = Callable[..., Awaitable[httpx.Response]]
NOBODY = "_1_" + "0" * 32
HOLD = {"customer": "acme", "feature": "chat", "estimate": {"credits": "1"}}
LEASE = {"customer": "acme", "feature": "chat", "credits": "1"}
THIN = LEASE | {"key": "before", "customer": "thin", "ttl_seconds": 86_400}
FAR = "2036-01-01T00:00:00Z"


async def checks(post: Post, clock: list[datetime]) -> None:
    await post("/v1/check", HOLD | {"customer": "nobody"})
    await post("/v1/check", HOLD | {"feature": "nothing"})
    await post("/v1/check", HOLD | {"run": "none"})
    await post("/v1/check", HOLD | {"hold": {"key": "h"}})
    await post("/v1/check", HOLD | {"hold": {"key": "h", "ttl_seconds": 7}})


async def usage(post: Post, clock: list[datetime]) -> None:
    await post("/v1/usage", event(customer="nobody"))
    await post("/v1/usage", event(feature="nothing"))
    await post("/v1/usage", event("e"))
    await post("/v1/usage", event("e", user="ann"))
    await post("/v1/usage", event(occurred_at=FAR))
    await post("/v1/usage", event(usage={"what": "ever"}))


async def holds(post: Post, clock: list[datetime]) -> None:
    ids = [(await post("/v1/check", HOLD | {"hold": {"key": key}})).json()["hold"]["id"] for key in "stv"]
    settled, twice, voided = (f"/v1/holds/{hold_id}" for hold_id in ids)
    await post(f"/v1/holds/hold{NOBODY}/settle", {"credits": "1"})
    await post(f"/v1/holds/hold{NOBODY}/void")
    await post(f"{settled}/settle", {"credits": "1"})
    await post(f"{settled}/settle", {"credits": "1", "key": "other"})
    await post(f"{settled}/void")
    await post(f"/v1/leases/{ids[0]}/release")
    await post(f"{twice}/settle", {"credits": "1"})
    await post(f"{twice}/settle", {"credits": "2"})
    await post(f"{voided}/settle", {"credits": "1", "occurred_at": FAR})
    await post(f"{voided}/settle", {"usage": {"what": "ever"}})
    await post(f"{voided}/void")
    await post(f"{voided}/settle", {"credits": "1"})


async def leases(post: Post, clock: list[datetime]) -> None:
    await post("/v1/leases", LEASE | {"key": "x", "customer": "nobody"})
    await post("/v1/leases", LEASE | {"key": "x", "feature": "nothing"})
    await post("/v1/leases", LEASE | {"key": "x", "credits": "1000"})
    await post("/v1/leases", LEASE | {"key": "l", "credits": "2"})
    await post("/v1/leases", LEASE | {"key": "l", "credits": "1"})
    lease = (await post("/v1/leases", LEASE | {"key": "m", "ttl_seconds": 10})).json()["hold"]["id"]
    for action, body in (("extend", {"credits": "1"}), ("settle", {"events": [{"key": "e", "credits": "1"}]})):
        await post(f"/v1/leases/hold{NOBODY}/{action}", body)
    await post(f"/v1/leases/hold{NOBODY}/release")
    await post(f"/v1/leases/{lease}/extend", {"credits": "1000"})
    await post(f"/v1/leases/{lease}/release")
    await post(f"/v1/leases/{lease}/extend", {"credits": "1"})
    expired = (await post("/v1/leases", LEASE | {"key": "n", "ttl_seconds": 10})).json()["hold"]["id"]
    clock[0] += timedelta(seconds=10)
    await post(f"/v1/leases/{expired}/extend", {"credits": "1"})


async def overdue(post: Post, clock: list[datetime]) -> None:
    lease = (await post("/v1/leases", LEASE | {"key": "l", "customer": "late"})).json()["hold"]["id"]
    clock[0] += timedelta(days=1)
    await post("/v1/leases", LEASE | {"key": "m", "customer": "late"})
    await post(f"/v1/leases/{lease}/extend", {"credits": "1"})


async def below_a_floor(post: Post, clock: list[datetime]) -> None:
    """`thin` has had this lease since before the floor was set."""
    lease = (await post("/v1/leases", THIN)).json()["hold"]["id"]
    await post("/v1/leases", THIN | {"key": "m"})
    await post(f"/v1/leases/{lease}/extend", {"credits": "1"})


async def runs(post: Post, clock: list[datetime]) -> None:
    run = {"customer": "acme"}
    await post("/v1/runs", run | {"key": "r", "customer": "nobody"})
    await post("/v1/runs", run | {"key": "r", "parent": "none"})
    outer = (await post("/v1/runs", run | {"key": "outer", "budget": {"depth": 0}})).json()["id"]
    await post("/v1/runs", run | {"key": "outer"})
    await post("/v1/runs", run | {"key": "inner", "parent": "outer"})
    await post(f"/v1/runs/{outer}/close")
    await post("/v1/runs", run | {"key": "inner", "parent": "outer"})
    await post(f"/v1/runs/run{NOBODY}/close")


def template(path: str) -> str:
    parts = path.split("/")
    return "/".join([*parts[:3], "{id}", parts[4]]) if len(parts) == 5 else path


def test_every_refusal_happens_and_is_written_down_where_it_happens(now: datetime) -> None:
    world = World()
    Actor("acme", now, world.pro)
    Actor("late", now, world.plan("strict", included=10, grace="block", grace_days=1))
    set_overdue("late", now, now)
    thin = Actor("thin", now, world.plan("thin", included=10))
    with_gate(lambda client: client.post("/v1/leases", json=THIN), clock=lambda: now)
    MarginGuard.objects.create(customer=thin.row, floor="0.5", action="deny", trusts_stale=True, starts_at=now)
    period = Balance.objects.get(customer_id=thin.row.pk)
    MarginFigure.objects.create(
        customer_id=thin.row.pk, period_start=period.period_start, period_end=period.period_end, computed_at=now,
        currency="USD", revenue_nano=10, cost_nano=9, ratio_micro=100_000, unpriced_calls=0,
    )  # fmt: skip
    clock, happened = [now], set()

    async def story(client: httpx.AsyncClient) -> None:
        async def post(path: str, body: Any = None) -> httpx.Response:
            answer = await client.post(path, json=body or {})
            assert answer.status_code != 422 or answer.json()["code"] != "invalid_input", answer.json()
            if answer.status_code >= 400:
                happened.add((template(path), answer.status_code, answer.json()["code"]))
            return answer

        for part in (checks, usage, holds, leases, below_a_floor, overdue, runs):
            await part(post, clock)

    with_gate(story, clock=lambda: clock[0])
    assert happened == {(path, kind.status, kind.code) for path, kinds in PROBLEMS.items() for kind in kinds}
    for path, status, code in happened:
        described = document()["paths"][path]["post"]["responses"][str(status)]["description"]
        assert f"`{code}`" in described, (path, status)
