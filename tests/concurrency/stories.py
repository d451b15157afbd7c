"""A hundred credits, and fifty callers at once who want ten each: exactly ten of them get some."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from tests.concurrency.wire import Answer, Wire

CALLERS = 50
WINNERS = 10
RETRYING = CALLERS // 2

Story = Callable[[Sequence[Wire], str], Awaitable[int]]
"""Played for a customer who has a hundred credits. Answers how many callers won."""


async def holds(wires: Sequence[Wire], customer: str) -> int:
    return _won(await _all(_hold(wires[number], customer, number) for number in range(CALLERS)))


async def leases(wires: Sequence[Wire], customer: str) -> int:
    wanted = {"customer": customer, "feature": "chat", "credits": "10"}
    answers = await _all(wires[number].post("/v1/leases", wanted | {"key": f"l{number}"}) for number in range(CALLERS))
    assert {answer.status for answer in answers} == {201, 402}
    return sum(answer.status == 201 for answer in answers)


async def runs(wires: Sequence[Wire], customer: str) -> int:
    """The customer is given more, but its run may take only a hundred, in calls of its own and of a run inside it."""
    opened = {"customer": customer, "key": f"{customer}-outer", "budget": {"credits": "100"}}
    await wires[0].post("/v1/runs", opened)
    await wires[0].post("/v1/runs", {"customer": customer, "key": f"{customer}-inner", "parent": opened["key"]})
    where = (opened["key"], f"{customer}-inner")
    answers = await _all(_hold(wires[number], customer, number, run=where[number % 2]) for number in range(CALLERS))
    assert {answer.body["reason"] for answer in answers} == {"entitled", "run_budget_exhausted"}
    return _won(answers)


async def retries(wires: Sequence[Wire], customer: str) -> int:
    """Half of the callers make their call twice at once, over another connection: both get the same answer."""
    numbers = [*range(CALLERS), *range(RETRYING)]
    answers = await _all(_hold(wire, customer, number) for wire, number in zip(wires, numbers, strict=True))
    for first, again in zip(answers, answers[CALLERS:], strict=False):
        assert (first.body["decision"], first.body["hold"]) == (again.body["decision"], again.body["hold"])
    return _won(answers[:CALLERS])


STORIES: dict[str, Story] = {"holds": holds, "leases": leases, "runs": runs, "retries": retries}
NEEDED: dict[str, int] = {"runs": 1000}
"""Credits a customer starts with, where not a hundred."""


async def play(ports: Sequence[int], key: str, customers: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Play each (story, customer) in turn, with callers spread over the ports. Answers where not exactly ten won."""
    wires = [Wire(ports[number % len(ports)], key) for number in range(CALLERS + RETRYING)]
    wrong: dict[str, int] = {}
    for story, customer in customers:
        won = await STORIES[story](wires, customer)
        if won != WINNERS:
            wrong[f"{story}, {customer}"] = won
    for wire in wires:
        await wire.close()
    return wrong


def _hold(wire: Wire, customer: str, number: int, **parts: Any) -> Awaitable[Answer]:
    asked = {"customer": customer, "feature": "chat", "estimate": {"credits": "10"}} | parts
    return wire.post("/v1/check", asked | {"hold": {"key": f"h{number}", "ttl_seconds": 600}})


async def _all(calls: Iterable[Awaitable[Answer]]) -> list[Answer]:
    return list(await asyncio.gather(*calls))


def _won(answers: Sequence[Answer]) -> int:
    return sum(answer.body["decision"] == "allow" for answer in answers)
