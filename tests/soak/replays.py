"""Everything that has a key, said once more: the same key and the same body get the first answer again."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.concurrency.wire import Answer, NoAnswer, Wire
from tests.soak.journal import Told

CALLERS = 16
PATIENCE_SECONDS = 60.0

_FACT = ("key", "credits", "cost_usd")
_SAME = {"hold": ("decision", "hold"), "usage": _FACT, "settle": _FACT, "lease": (), "run": ()}
"""What of an answer is the same for ever; of leases and runs, which go on, it is the id."""


async def answered_differently(told: Sequence[Told], ports: Sequence[int], key: str) -> list[str]:
    """Say again what was acknowledged. Answers with what now sounds different."""
    waiting = [one for one in told if one.kind in _SAME and 200 <= one.status < 300 and _is_kept(one)]
    print(f"said again: {len(waiting):,}", flush=True)
    findings: list[str] = []

    async def say(port: int) -> None:
        wire = Wire(port, key, patience_seconds=PATIENCE_SECONDS)
        while waiting:
            one = waiting.pop()
            try:
                answer = await wire.post(one.path, one.body)
            except NoAnswer as silence:
                findings.append(f"{one.kind} {one.customer} {one.key}: said again, no answer: {silence}")
                continue
            if not 200 <= answer.status < 300 or _said(one.kind, answer.body) != _said(one.kind, one.answer):
                findings.append(_finding(one, answer))
        await wire.close()

    await asyncio.gather(*(say(ports[number % len(ports)]) for number in range(CALLERS)))
    return findings


def _is_kept(told: Told) -> bool:
    """Denials are not kept: whoever asks again is decided again."""
    return told.kind != "hold" or told.answer["hold"] is not None


def _said(kind: str, body: Any) -> Any:
    if kind == "lease":
        return body["hold"]["id"]
    if kind == "run":
        return body["id"]
    return [body.get(part) for part in _SAME[kind]]


def _finding(told: Told, answer: Answer) -> str:
    return f"{told.kind} {told.customer} {told.key}: was answered {told.answer}, and now {answer.status} {answer.body}"
