"""Group commit without a timer: calls that arrive while batches are in flight form the next one.

A lone caller's batch starts at once, and a few callers' batches run side by side, so that nobody waits
behind somebody else's commit. With more waiting than that, one batch at a time takes them all: a durable
commit is paid once for many calls, and batches do not wait for each other's row locks (ADR 9). A batch that
waits long, for a row somebody keeps locked, is passed by the next.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

from kernel.errors import Unavailable

Call = TypeVar("Call")
Result = TypeVar("Result")

STALLED_SECONDS = 0.1
"""From here on a batch does not keep others from starting."""

Waiting = tuple[Call, "asyncio.Future[Result]"]


class Lane(Generic[Call, Result]):
    """Runs calls in batches: up to `few` waiting calls side by side, more than that together.

    At most `beside` batches are in flight, also when some of them are stalled. A batch takes calls while their weights
    come to less than `most`, so that a request of 10,000 events does not share its transaction with another of that
    size.

    `run` answers a batch with one result or exception per call, in order; if it raises, every call
    of the batch gets that exception.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Call]], Awaitable[Sequence[Result | Exception]]],
        *,
        few: int,
        most: int,
        beside: int = 4,
        weigh: Callable[[Call], int] = lambda _: 1,
        backlog: int,
    ) -> None:
        self._run = run
        self._few, self._most, self._beside, self._weigh, self._backlog = few, most, beside, weigh, backlog
        self._waiting: deque[tuple[Call, asyncio.Future[Result]]] = deque()
        self._tasks: dict[asyncio.Task[None], float] = {}
        """The batches in flight and when they started."""
        self._starting = False

    def submit(self, call: Call) -> "asyncio.Future[Result]":
        """What will be the call's result, when it has had its turn. Raises Unavailable when too many wait already."""
        if len(self._waiting) >= self._backlog:
            raise Unavailable("too many calls are waiting; try again in a moment")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, future))
        self._start_soon()
        return future

    def _start_soon(self) -> None:
        """Start when this turn of the loop is over: whoever has sent a call by then is in the same batch."""
        if not self._starting:
            self._starting = True
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        self._starting = False
        while self._waiting and self._has_room():
            batch, weight = [], 0
            while self._waiting and weight < self._most:
                batch.append(self._waiting.popleft())
                weight += self._weigh(batch[-1][0])
            task = asyncio.create_task(self._answer(batch))
            loop = asyncio.get_running_loop()
            self._tasks[task] = loop.time()
            stalled = loop.call_later(STALLED_SECONDS, self._start_soon)
            task.add_done_callback(partial(self._finished, stalled))

    def _has_room(self) -> bool:
        """Whether another batch may start: at most `beside` in flight, of which few are not stalled."""
        stalled_since = asyncio.get_running_loop().time() - STALLED_SECONDS
        moving = sum(started > stalled_since for started in self._tasks.values())
        return len(self._tasks) < self._beside and moving < (self._few if len(self._waiting) <= self._few else 1)

    def _finished(self, stalled: asyncio.TimerHandle, task: "asyncio.Task[None]") -> None:
        stalled.cancel()
        self._tasks.pop(task)
        self._start_soon()

    async def _answer(self, batch: list[tuple[Call, "asyncio.Future[Result]"]]) -> None:
        try:
            results = await self._run([call for call, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to every caller of the batch
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():  # The caller went away; what was written stays, under its key.
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)


class Lanes(Generic[Call, Result]):
    """Several lanes, each call in the one its number chooses. What must not wait for each other's locks shares one."""

    def __init__(self, number: Callable[[Call], int], lanes: Sequence[Lane[Call, Result]]) -> None:
        self._number, self._lanes = number, lanes

    def submit(self, call: Call) -> "asyncio.Future[Result]":
        """`Lane.submit` in the call's lane."""
        return self._lanes[self._number(call) % len(self._lanes)].submit(call)
