"""The callers: apps that ask before a call, report after it, lease, run agents, and never forget what they were told.

`python -m tests.soak.calls` reads its orders as JSON from standard input, and ends, all answered, after SIGTERM.
"""

import asyncio
import math
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from tests.concurrency.wire import Answer, NoAnswer, Wire
from tests.soak.journal import Journal, Told, Trouble

CALLERS = 16
HOLD_SECONDS = 4
LAST_TRIES_SECONDS = 60.0
"""How long a call that was begun in time is tried again when time is up."""


class Orders(msgspec.Struct):
    seed: int
    ports: list[int]
    key: str
    customers: list[str]
    journal: str


class Shift:
    """Until when they call: until they are told that it is over."""

    ends = math.inf

    def end(self) -> None:
        self.ends = time.monotonic()

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.ends


class Caller:
    """One of them: one call at a time, over either web process."""

    def __init__(self, number: int, orders: Orders, journal: Journal, shift: Shift) -> None:
        self.name = f"caller-{number}"
        self.dice = random.Random(f"{orders.seed}-{number}")
        self.customers = orders.customers
        self.shift = shift
        self._wires = [Wire(port, orders.key, patience_seconds=15) for port in orders.ports]
        self._journal = journal
        self._numbers = count()
        self._used: list[dict[str, Any]] = []

    async def call_until_the_end(self) -> None:
        ways: list[tuple[Callable[[str], Awaitable[None]], int]] = [
            (self.asks, 3),
            (self.holds, 8),
            (self.reports, 5),
            (self.reports_many, 3),
            (self.leases, 2),
            (self.runs, 2),
        ]
        while not self.shift.is_over:
            (way,) = self.dice.choices([way for way, _ in ways], [weight for _, weight in ways])
            # A few customers get most of the calls.
            await way(self.customers[int(len(self.customers) * self.dice.random() ** 2)])
        for wire in self._wires:
            await wire.close()

    # What apps do.

    async def asks(self, customer: str) -> None:
        await self.say(
            "check", customer, "/v1/check", {"customer": customer, **self.action(), "estimate": self.guess()}
        )

    async def holds(self, customer: str, run: str = "") -> None:
        key = self.new_key("hold")
        asked = {"customer": customer, **self.action(), "estimate": self.guess(), "run": run}
        answer = await self.say(
            "hold", customer, "/v1/check", asked | {"hold": {"key": key, "ttl_seconds": HOLD_SECONDS}}, key
        )
        if answer is None or answer.body.get("hold") is None:
            return
        path = f"/v1/holds/{answer.body['hold']['id']}"
        held = float(answer.body["hold"]["credits"])
        await self.works()
        match self.dice.choice(["settle", "settle", "settle", "parts", "void", "forget", "late"]):
            case "settle":
                await self.settles(customer, path, held)
            case "parts":
                for _ in range(self.dice.randint(1, 3)):
                    await self.settles(customer, path, held / 3, key=self.new_key("part"), final=False)
                await self.settles(customer, path, held / 3, key=self.new_key("part"))
            case "void":
                await self.say("void", customer, f"{path}/void", {}, path)
            case "late":
                await asyncio.sleep(HOLD_SECONDS + 0.2)
                await self.settles(customer, path, held)

    async def settles(self, customer: str, path: str, held: float, **parts: Any) -> None:
        used = self.dice.choice([0.2, 1, 1, 1.5]) * held
        body = {"credits": f"{used:.6f}"} if self.dice.random() < 0.5 else self.tokens()
        await self.say("settle", customer, f"{path}/settle", body | parts, parts.get("key", ""))

    async def reports(self, customer: str, run: str = "") -> None:
        item = self.item(customer, run)
        await self.say("usage", customer, "/v1/usage", item, item["key"])

    async def reports_many(self, customer: str) -> None:
        others = [customer, *self.dice.choices(self.customers, k=2)]
        items = [self.item(self.dice.choice(others), "") for _ in range(self.dice.randint(2, 25))]
        if self._used:
            # Of an earlier report: once more as it was, and its key with another body.
            items.append(self.dice.choice(self._used))
            items.append(self.dice.choice(self._used) | {"action": "another"})
        self._used = (self._used + items[:2])[-50:]
        await self.say("usages", customer, "/v1/usage", {"events": items})

    async def leases(self, customer: str) -> None:
        key = self.new_key("lease")
        wanted = {"key": key, "customer": customer, "feature": "chat", "credits": str(self.dice.randint(1, 20))}
        answer = await self.say("lease", customer, "/v1/leases", wanted | {"ttl_seconds": 5}, key)
        if answer is None or answer.status not in (200, 201):
            return
        path = f"/v1/leases/{answer.body['hold']['id']}"
        for _ in range(self.dice.randint(0, 3)):
            await self.works()
            spent = [{"key": self.new_key("spent"), "credits": f"{self.dice.random() * 3:.3f}"} for _ in range(3)]
            await self.say("lease_settle", customer, f"{path}/settle", {"events": spent})
        if self.dice.random() < 0.5:
            await self.say("extend", customer, f"{path}/extend", {"ttl_seconds": 6}, path)
        if self.dice.random() < 0.6:
            await self.say("void", customer, f"{path}/release", {}, path)

    async def runs(self, customer: str) -> None:
        outer, inner = self.new_key("run"), self.new_key("run")
        budget = {"credits": str(self.dice.randint(1, 40)), "steps": self.dice.randint(1, 8)}
        opened = await self.say(
            "run", customer, "/v1/runs", {"key": outer, "customer": customer, "budget": budget}, outer
        )
        await self.say("run", customer, "/v1/runs", {"key": inner, "customer": customer, "parent": outer}, inner)
        for _ in range(self.dice.randint(1, 4)):
            run = self.dice.choice([outer, inner])
            await (self.holds(customer, run) if self.dice.random() < 0.7 else self.reports(customer, run))
        if opened is not None and self.dice.random() < 0.7:
            await self.say("close_run", customer, f"/v1/runs/{opened.body['id']}/close", {}, outer)

    # What they say.

    def new_key(self, what: str) -> str:
        return f"{what}-{self.name}-{next(self._numbers)}"

    def action(self) -> dict[str, Any]:
        model = self.dice.choice(["gpt-4o-mini", "gpt-4o-mini", "gpt-4o", ""])
        user = self.dice.choice(["", "ann", "bob", "cleo"])
        return {"feature": self.dice.choice(["chat", "agent"]), "model": model, "user": user}

    def guess(self) -> dict[str, Any]:
        if self.dice.random() < 0.5:
            return {"credits": str(self.dice.choice([0, 1, 2, 5, 30]))}
        return {"input_tokens": self.dice.randint(0, 5000), "max_output_tokens": self.dice.randint(0, 2000)}

    def tokens(self) -> dict[str, Any]:
        prompt, answer = self.dice.randint(1, 5000), self.dice.randint(1, 1000)
        used = {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}
        return {"usage": used, "model": self.dice.choice(["gpt-4o-mini", "gpt-4o"]), "provider": "openai"}

    def item(self, customer: str, run: str) -> dict[str, Any]:
        who = {"key": self.new_key("event"), "customer": customer, "feature": self.dice.choice(["chat", "agent"])}
        return who | {"user": self.dice.choice(["", "ann", "bob"]), "run": run} | self.tokens()

    async def works(self) -> None:
        """The model call itself."""
        await asyncio.sleep(self.dice.random() * 0.02)

    async def say(self, kind: str, customer: str, path: str, body: dict[str, Any], key: str = "") -> Answer | None:
        """Call until there is an answer, as an SDK does: the same call again, on either process."""
        sent, tries = time.time(), 0
        while time.monotonic() < self.shift.ends + LAST_TRIES_SECONDS:
            tries += 1
            try:
                answer = await self.dice.choice(self._wires).post(path, body)
            except NoAnswer:
                await asyncio.sleep(0.05 + self.dice.random() * 0.2)
                continue
            if answer.status >= 500:
                if answer.status != 503 or "retry-after" not in answer.headers:
                    self._journal.tell(Trouble(path, answer.status, answer.body))
                await asyncio.sleep(0.1 + self.dice.random() * 0.3)
                continue
            self._tell(kind, customer, key, path, body, answer, tries, sent)
            return answer
        self._tell(kind, customer, key, path, body, Answer(0, {}, None), tries, sent)
        return None

    def _tell(
        self, kind: str, customer: str, key: str, path: str, body: Any, answer: Answer, tries: int, sent: float
    ) -> None:
        self._journal.tell(
            Told(
                kind=kind,
                customer=customer,
                key=key,
                path=path,
                body=body,
                status=answer.status,
                answer=answer.body,
                tries=tries,
                sent_at=sent,
                answered_at=time.time(),
            )
        )


async def main(orders: Orders) -> None:
    shift = Shift()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, shift.end)
    journal = Journal(Path(orders.journal))
    callers = [Caller(number, orders, journal, shift) for number in range(CALLERS)]
    await asyncio.gather(*(caller.call_until_the_end() for caller in callers))


if __name__ == "__main__":
    uvloop.run(main(msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)))
