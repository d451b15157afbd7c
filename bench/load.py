"""The load generator: `python -m bench.load` reads a Job and writes a Result. A process of its own, and a lean one.

It parses no more of an answer than its length, its status and one expected string, because on two cores
whatever it burns is taken from the server it measures.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import uvloop

from bench import jobs
from bench.jobs import Job, Result
from bench.requests import EXPECTED, requests

_PATIENCE_SECONDS = 120.0


class Load:
    """One job under way: what is still to be sent, and what came back."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.waiting: Iterator[bytes] = requests(job)
        self.expected = EXPECTED[job.kind]
        self.keeps_holds = job.kind == "hold"
        self.right, self.wrong = 0, Counter[str]()
        self.answered: list[tuple[float, float]] = []
        """(when, after how many seconds) each right answer came."""
        self.holds: list[str] = []
        self.open = job.connections
        self.ended = asyncio.get_running_loop().create_future()
        self.started, self.started_cpu = time.perf_counter(), time.process_time()
        # Settling ends with the last hold, everything else by the clock. Large calls are few: each counts.
        self.counts_from = self.started + (0.0 if job.holds or job.batch > 1 else job.warm_up_seconds)
        self.ends = self.counts_from + (_PATIENCE_SECONDS if job.holds else job.seconds)

    def take(self, answer: bytes, body: int, sent: float) -> None:
        """Judge an answer whose body starts at `body`."""
        now = time.perf_counter()
        if answer[9:10] == b"2" and answer.find(self.expected, body) > 0:
            self.right += 1
            self.answered.append((now, now - sent))
            if self.keeps_holds:
                start = answer.index(b'"hold":{"id":"', body) + 14
                self.holds.append(answer[start : answer.index(b'"', start)].decode())
        else:
            self.wrong[f"{answer[9:12].decode()} {answer[body : body + 200].decode(errors='replace')}"] += 1

    def close_one(self) -> None:
        """A connection has nothing left to do."""
        self.open -= 1
        if not self.open and not self.ended.done():
            self.ended.set_result(None)

    def fail(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A mistake of our own ends the job instead of leaving it waiting."""
        if not self.ended.done():
            self.ended.set_exception(context.get("exception") or RuntimeError(context["message"]))

    def result(self) -> Result:
        """What came of it."""
        job, counted, seconds = self.job, self.answered, self.job.seconds
        if job.holds or job.batch > 1:
            # All of them, and as long as the last of them took.
            seconds = max((when for when, _ in counted), default=self.ends) - self.counts_from
        else:
            counted = [(when, took) for when, took in counted if self.counts_from <= when <= self.ends]
        rate = job.batch * len(counted) / seconds
        result = jobs.summary([took for _, took in counted], rate, self.right * job.batch, self.wrong)
        result.holds = self.holds
        result.cpu_share = round((time.process_time() - self.started_cpu) / (time.perf_counter() - self.started), 2)
        return result


class Connection(asyncio.Protocol):
    """One caller: sends the next call when the last is answered."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.parts: list[bytes] = []
        self.missing = self.body = 0
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class, which is no subclass of it
        self._send()

    def data_received(self, data: bytes) -> None:
        if self.missing:
            self.parts.append(data)
            self.missing -= len(data)
            if self.missing:
                return
            data = b"".join(self.parts)
            self.parts.clear()
        else:
            head = data.index(b"\r\n\r\n")
            start = data.index(b"content-length: ", 0, head) + 16
            self.body = head + 4
            self.missing = self.body + int(data[start : data.index(b"\r", start)]) - len(data)
            if self.missing:
                self.parts.append(data)
                return
        self.load.take(data, self.body, self.sent)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.load.ended.done() and not self.transport.is_closing():
            self.load.wrong["connection lost"] += 1
        self.load.close_one()

    def _send(self) -> None:
        self.sent = time.perf_counter()
        call = next(self.load.waiting, None) if self.sent < self.load.ends else None
        if call is None:
            self.transport.close()
        else:
            self.transport.write(call)


async def run(job: Job) -> Result:
    """Do the job."""
    load = Load(job)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(load.fail)
    for _ in range(job.connections):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", job.port)
    await asyncio.wait_for(load.ended, _PATIENCE_SECONDS + job.seconds)
    return load.result()


if __name__ == "__main__":
    jobs.write_result(uvloop.run(run(jobs.read_job())))
