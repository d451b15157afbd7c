"""Sending a trace through the API: each row once, at its pace, and clear words when it cannot be."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from django.core.management import CommandError, call_command

from demo import replay as replaying
from demo.replay import Labels, ReplayFailed, Settings, Tally, replay
from demo.traces import TraceRow, TraceUnreadable
from kernel.usage import Usage

SETTINGS = Settings(
    url="http://weir.test",
    api_key="weir_sk_test",
    name="hour",
    labels=Labels("acme", "chat", "gpt-4o-mini", "openai"),
    batch=2,
    concurrency=1,
)
NOON = datetime(2023, 11, 16, 12, tzinfo=UTC)


def rows(count: int, *, apart_seconds: float = 1) -> list[TraceRow]:
    return [
        TraceRow(number, NOON + timedelta(seconds=apart_seconds * (number - 1)), Usage(input_tokens=number))
        for number in range(1, count + 1)
    ]


class Service(httpx.AsyncBaseTransport):
    """Answers as Weir does: a tenth of a credit and a nano-dollar per input token, each key once.

    `troubles` are answered first, one per request: a status, or an error of the connection.
    """

    def __init__(self, *troubles: int | Exception) -> None:
        self.troubles = list(troubles)
        self.batches: list[list[dict[str, Any]]] = []
        self.seen: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/healthz":
            return httpx.Response(200)
        assert request.headers["authorization"] == "Bearer weir_sk_test"
        trouble = self.troubles.pop(0) if self.troubles else None
        if isinstance(trouble, Exception):
            raise trouble
        if trouble is not None:
            return httpx.Response(trouble, json={"detail": "not now", "code": "some_code"})
        items = json.loads(await request.aread())["events"]
        self.batches.append(items)
        return httpx.Response(200, json={"results": [self.result(item) for item in items]})

    def result(self, item: dict[str, Any]) -> dict[str, Any]:
        tokens = Decimal(item["usage"]["input_tokens"])
        status = "duplicate" if item["key"] in self.seen else "accepted"
        self.seen.add(item["key"])
        return {"status": status, "credits": str(tokens / 10), "cost_usd": f"{tokens / 10**9:.9f}"}

    @property
    def items(self) -> list[dict[str, Any]]:
        return [item for batch in self.batches for item in batch]


async def sent(service: Service, trace: Iterable[TraceRow], settings: Settings = SETTINGS) -> Tally:
    tally = Tally()
    await replay(trace, settings, tally, lambda _: None, transport=service)
    return tally


async def test_every_row_is_sent_once_in_batches_and_summed_exactly() -> None:
    service = Service()
    tally = await sent(service, rows(5))
    assert [len(batch) for batch in service.batches] == [2, 2, 1]
    assert (tally.accepted, tally.duplicates, tally.rejected) == (5, 0, 0)
    assert (tally.microcredits, tally.cost_nanousd) == (1_500_000, 15)
    assert service.items[0] == {
        "key": "hour:1",
        "customer": "acme",
        "feature": "chat",
        "model": "gpt-4o-mini",
        "provider": "openai",
        "format": "neutral",
        "usage": {"input_tokens": 1},
        "occurred_at": "2023-11-16T12:00:00Z",
    }


async def test_sending_it_again_is_the_same_to_the_byte_and_adds_nothing() -> None:
    service = Service()
    await sent(service, rows(4))
    tally = await sent(service, rows(4))
    assert service.items[:4] == service.items[4:]
    assert (tally.accepted, tally.duplicates) == (0, 4)
    assert (tally.microcredits, tally.cost_nanousd) == (0, 0)
    assert (tally.known_microcredits, tally.known_cost_nanousd) == (1_000_000, 10)


async def test_a_start_moves_the_whole_trace() -> None:
    service = Service()
    await sent(service, rows(2), msgspec.structs.replace(SETTINGS, start=NOON + timedelta(days=700)))
    assert [item["occurred_at"] for item in service.items] == ["2025-10-16T12:00:00Z", "2025-10-16T12:00:01Z"]


async def test_a_chosen_speed_keeps_the_rhythm_of_the_trace() -> None:
    service = Service()
    began = time.monotonic()
    await sent(service, rows(11), msgspec.structs.replace(SETTINGS, speed=20))
    # Ten seconds of trace at twenty times its speed, in requests of what is due within a fifth of a second.
    assert 0.45 < time.monotonic() - began < 2
    assert [item["key"] for item in service.items] == [f"hour:{number}" for number in range(1, 12)]


async def test_at_full_speed_an_hour_takes_no_hour() -> None:
    began = time.monotonic()
    await sent(Service(), rows(60, apart_seconds=60))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("trouble", [503, 502, 429, httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
async def test_a_service_that_cannot_answer_now_is_asked_again_under_the_same_keys(trouble: int | Exception) -> None:
    service = Service(trouble, trouble)
    tally = await sent(service, rows(3))
    assert tally.accepted == 3
    assert [item["key"] for item in service.items] == ["hour:1", "hour:2", "hour:3"]


async def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "PATIENCE_SECONDS", 0.5)
    with pytest.raises(ReplayFailed, match="cannot take the calls: it answers 503"):
        await sent(Service(*[503] * 10), rows(3))


@pytest.mark.parametrize(
    ("status", "complaint"),
    [(401, "the API key was refused: not now"), (403, "the API key was refused"), (422, "refused the calls: not now")],
)
async def test_a_refusal_of_everything_ends_it_with_the_reason(status: int, complaint: str) -> None:
    with pytest.raises(ReplayFailed, match=complaint):
        await sent(Service(status), rows(3))


async def test_another_server_than_ours_is_recognised() -> None:
    other = httpx.MockTransport(lambda _: httpx.Response(404, html="<h1>Not found</h1>"))
    with pytest.raises(ReplayFailed, match="answers 404, and not as this service does"):
        await replay(rows(1), SETTINGS, Tally(), lambda _: None, transport=other)


async def test_no_server_at_all_is_told_at_once() -> None:
    settings = Settings(url="http://127.0.0.1:1", api_key="k", name="n", labels=SETTINGS.labels)
    began = time.monotonic()
    with pytest.raises(ReplayFailed, match=r"nothing answers at http://127\.0\.0\.1:1"):
        await replay(rows(1), settings, Tally(), lambda _: None)
    assert time.monotonic() - began < 5


class Refusing(Service):
    """Rejects each item, or each odd one, with a problem."""

    def __init__(self, code: str, wrong: Callable[[dict[str, Any]], bool] = lambda _: True) -> None:
        super().__init__()
        self.code, self.wrong = code, wrong

    def result(self, item: dict[str, Any]) -> dict[str, Any]:
        if not self.wrong(item):
            return super().result(item)
        error = {"code": self.code, "title": "It is so", "detail": f"{item['key']}: because"}
        return {"status": "rejected", "error": error}


async def test_rejected_rows_are_counted_by_reason_and_spoil_no_others() -> None:
    service = Refusing("time_out_of_range", lambda item: item["usage"]["input_tokens"] % 2 == 1)
    tally = await sent(service, rows(5))
    assert (tally.accepted, tally.rejected) == (2, 3)
    assert tally.reasons == {"time_out_of_range: It is so": 3}


async def test_an_unknown_customer_ends_it_with_the_first_row() -> None:
    service = Refusing("customer_unknown")
    with pytest.raises(ReplayFailed, match="hour:1: because"):
        await sent(service, rows(100))
    assert len(service.items) < 10


async def test_rows_before_a_bad_one_are_sent_before_it_is_told() -> None:
    def broken() -> Iterator[TraceRow]:
        yield from rows(3)
        raise TraceUnreadable(Path("hour.csv"), "is not a number", line=5)

    service, tally = Service(), Tally()
    with pytest.raises(TraceUnreadable, match="line 5"):
        await replay(broken(), SETTINGS, tally, lambda _: None, transport=service)
    assert tally.accepted == 3


def test_the_command_wants_a_key_it_can_find(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEIR_API_KEY", raising=False)
    settings.DATA_DIR = tmp_path
    with pytest.raises(CommandError, match="no API key"):
        call_command("replay", "trace.csv")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--speed", "fast"], "neither max nor a factor"),
        (["--speed", "0"], "neither max nor a factor"),
        (["--batch", "10001"], "whole number from 1 to 10000"),
        (["--limit", "-1"], "whole number"),
        (["--start", "2026-11-15T12:00:00"], "has no time zone"),
    ],
)
def test_the_command_refuses_what_makes_no_sense(arguments: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        call_command("replay", "trace.csv", *arguments)


def test_the_command_says_which_file_is_no_trace(tmp_path: Path) -> None:
    server = "http://127.0.0.1:1"
    with pytest.raises(CommandError, match=r"none\.csv: No such file"):
        call_command("replay", str(tmp_path / "none.csv"), "--key", "k", "--url", server)
