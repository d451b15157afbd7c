"""Sending a trace through the HTTP API: in batches, at a pace, each row once however often it is sent."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import msgspec

from demo.traces import TraceRow, TraceUnreadable
from kernel.clock import format_instant
from kernel.units import parse_credits, parse_usd

LINGER_SECONDS: Final = 0.2
"""At a chosen speed, rows due this close together travel in one request."""

PATIENCE_SECONDS: Final = 60.0
"""How long a service that cannot answer right now is asked again."""

_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 5.0
_PASSING: Final = frozenset({429, 502, 503, 504})
_POINTLESS: Final = frozenset({"customer_unknown", "feature_unknown"})
"""Refusals of one row that every row of the trace would get."""


class ReplayFailed(Exception):
    """Why the replay cannot go on. What was sent before stays counted; sending it again adds nothing."""


class Labels(msgspec.Struct, frozen=True):
    """Whose and what the trace's calls are taken to be: traces say how much, not who."""

    customer: str
    feature: str
    model: str
    provider: str


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How to send. `name` prefixes the keys; `start` moves the trace in time; `speed` None is as fast as it goes."""

    url: str
    api_key: str
    name: str
    labels: Labels
    start: datetime | None = None
    speed: float | None = None
    batch: int = 500
    concurrency: int = 4


class Tally(msgspec.Struct):
    """What the service answered. Microcredits and nano-USD, summed from its exact decimal strings."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    unrated: int = 0
    unpriced: int = 0
    microcredits: int = 0
    cost_nanousd: int = 0
    known_microcredits: int = 0
    """Of duplicates: counted when they first came."""
    known_cost_nanousd: int = 0
    reasons: Counter[str] = msgspec.field(default_factory=Counter)
    """Why rows were rejected, with how many were."""

    @property
    def answered(self) -> int:
        return self.accepted + self.duplicates + self.rejected

    def add(self, result: dict[str, Any]) -> None:
        """Count one item of an answer."""
        if result["status"] == "rejected":
            self.rejected += 1
            self.reasons[_reason(result["error"])] += 1
            return
        credits, cost = result.get("credits"), result.get("cost_usd")
        microcredits = 0 if credits is None else parse_credits(credits)
        cost_nanousd = 0 if cost is None else parse_usd(cost)
        if result["status"] == "duplicate":
            self.duplicates += 1
            self.known_microcredits += microcredits
            self.known_cost_nanousd += cost_nanousd
            return
        self.accepted += 1
        self.unrated += credits is None
        self.unpriced += cost is None
        self.microcredits += microcredits
        self.cost_nanousd += cost_nanousd


def usage_item(row: TraceRow, name: str, labels: Labels, moved: timedelta) -> dict[str, Any]:
    """The row as the API takes it: always the same bytes under the same key, so that a replay is a repeat."""
    return {
        "key": f"{name}:{row.number}",
        "customer": labels.customer,
        "feature": labels.feature,
        "model": labels.model,
        "provider": labels.provider,
        "format": "neutral",
        "usage": msgspec.to_builtins(row.usage),
        "occurred_at": format_instant(row.at + moved),
    }


async def replay(
    rows: Iterable[TraceRow],
    settings: Settings,
    tally: Tally,
    progressed: Callable[[int], None],
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> None:
    """Send every row and count the answers in `tally`, which also tells how far it came when this fails.

    Raises ReplayFailed, and TraceUnreadable once the rows before the bad one have been answered.
    """
    async with httpx.AsyncClient(
        base_url=settings.url,
        headers={"Authorization": f"Bearer {settings.api_key}"},
        timeout=httpx.Timeout(60, connect=5),
        transport=transport,
    ) as client:
        await _greet(client)
        room = asyncio.Semaphore(settings.concurrency)

        async def deliver(items: Sequence[dict[str, Any]]) -> None:
            try:
                for result in await _send(client, items):
                    tally.add(result)
                    if result["status"] == "rejected" and result["error"]["code"] in _POINTLESS:
                        raise ReplayFailed(result["error"]["detail"])
                progressed(len(items))
            finally:
                room.release()

        failed: Exception | None = None
        unreadable: list[TraceUnreadable] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                async for items in _paced(_readable(rows, unreadable), settings):
                    await room.acquire()
                    tasks.create_task(deliver(items))
        except* ReplayFailed as failures:
            failed = failures.exceptions[0]
        for problem in (failed, *unreadable):
            if problem is not None:
                raise problem


def _readable(rows: Iterable[TraceRow], unreadable: list[TraceUnreadable]) -> Iterator[TraceRow]:
    """The rows up to a bad one, which is kept for later: those before it are good, and are to be sent."""
    try:
        yield from rows
    except TraceUnreadable as problem:
        unreadable.append(problem)


async def _paced(rows: Iterable[TraceRow], settings: Settings) -> AsyncIterator[list[dict[str, Any]]]:
    """Batches of items, each given out when its last row is due."""
    clock = asyncio.get_running_loop().time
    began, first, moved = clock(), None, timedelta()
    batch: list[dict[str, Any]] = []
    opened = due = began
    for row in rows:
        if first is None:
            first, moved = row.at, (settings.start or row.at) - row.at
        following = began + (row.at - first).total_seconds() / settings.speed if settings.speed else began
        if batch and (len(batch) == settings.batch or following > opened + LINGER_SECONDS):
            await asyncio.sleep(due - clock())
            yield batch
            batch = []
        if not batch:
            opened = following
        due = max(due, following)
        batch.append(usage_item(row, settings.name, settings.labels, moved))
    if batch:
        await asyncio.sleep(due - clock())
        yield batch


async def _greet(client: httpx.AsyncClient) -> None:
    """Fail at once, and clearly, where there is no service at all."""
    try:
        await client.get("/healthz")
    except httpx.TransportError as error:
        raise ReplayFailed(f"nothing answers at {client.base_url} ({error}): is the service running?") from None


async def _send(client: httpx.AsyncClient, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results of one batch, asking again under the same keys while the service cannot answer."""
    clock = asyncio.get_running_loop().time
    deadline, wait = clock() + PATIENCE_SECONDS, _FIRST_WAIT_SECONDS
    while True:
        try:
            response = await client.post("/v1/usage", json={"events": items})
            if response.status_code not in _PASSING:
                return _results(response)
            trouble, asked = f"it answers {response.status_code}", response.headers.get("retry-after", "")
        except httpx.TransportError as error:
            trouble, asked = str(error) or type(error).__name__, ""
        if clock() + wait > deadline:
            raise ReplayFailed(f"{client.base_url} cannot take the calls: {trouble}")
        await asyncio.sleep(max(wait, float(asked) if asked.isdigit() else 0.0))
        wait = min(2 * wait, _LONGEST_WAIT_SECONDS)


def _results(response: httpx.Response) -> list[dict[str, Any]]:
    try:
        body = response.json()
        if response.status_code == 200:
            results: list[dict[str, Any]] = body["results"]
            return results
        detail = body["detail"]
    except (ValueError, KeyError, TypeError):
        raise ReplayFailed(f"{response.url} answers {response.status_code}, and not as this service does") from None
    if response.status_code in {401, 403}:
        raise ReplayFailed(f"the API key was refused: {detail}")
    raise ReplayFailed(f"the service refused the calls: {detail}")


def _reason(error: dict[str, Any]) -> str:
    """Why, without what differs from row to row."""
    return f"{error['code']}: {error['title']}"
