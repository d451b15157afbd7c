"""The load generator against a server that answers as it is told."""

import asyncio
import json
from itertools import islice
from typing import Any

import pytest
import uvloop

from bench.jobs import Job, Kind, Result
from bench.load import run
from bench.requests import requests
from entitlements.gate.reading import read_check, read_settlement, read_usage
from kernel.errors import Problem
from kernel.ids import new_id

ALLOWED = b'{"decision":"allow","hold":{"id":"hold_1_2","credits":"1"}}'


def job(kind: Kind, **parts: Any) -> Job:
    usual = {"tag": "t.r.1", "token": "weir_sk_x", "customers": 50, "seconds": 0.2, "warm_up_seconds": 0.0}
    return Job(kind=kind, **(usual | parts))


def answer(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def served(these: Job, *pieces: bytes) -> Result:
    """The job's result with a server that answers every call with these pieces, each sent by itself."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(65536):
            assert head.startswith(b"POST /v1/")
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.002)
        writer.close()

    async def story() -> Result:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            return await run(Job(**{name: getattr(these, name) for name in these.__struct_fields__} | {"port": port}))

    return uvloop.run(story())


def test_right_answers_are_counted_and_timed() -> None:
    result = served(job("hold", connections=4), answer(ALLOWED))
    assert result.right > 4
    assert result.wrong == {}
    assert result.holds == ["hold_1_2"] * result.right
    assert 2 <= result.p50_ms <= result.p99_ms


def test_an_answer_may_come_in_pieces() -> None:
    whole = answer(ALLOWED + b" " * 1000)
    result = served(job("check"), whole[:150], whole[150:400], whole[400:])
    assert result.right > 1
    assert result.wrong == {}


@pytest.mark.parametrize("said", [answer(b'{"decision":"deny"}'), answer(ALLOWED, "503 Unavailable")])
def test_a_wrong_answer_is_not_counted_as_done(said: bytes) -> None:
    result = served(job("check"), said)
    assert result.right == 0
    assert result.per_second == 0
    assert sum(result.wrong.values()) > 0


def test_settling_ends_with_the_last_hold() -> None:
    result = served(job("settle", holds=["hold_1_a", "hold_1_b", "hold_1_c"]), answer(b'{"status":"accepted"}'))
    assert result.right == 3


def test_every_call_is_one_the_gate_understands(now: Any) -> None:
    keys = set()
    for kind in ("check", "hold", "usage", "ingest", "settle"):
        these = job(kind, batch=3, holds=["hold_1_a"] * 3)
        for call in islice(requests(these), 3):
            head, _, body = call.partition(b"\r\n\r\n")
            assert f"content-length: {len(body)}".encode() in head
            if kind in ("check", "hold"):
                customer, question = read_check(body)
                assert customer.startswith("c00000")
                keys |= {question.hold.key} if question.hold else set()
            elif kind == "settle":
                fact, final = read_settlement(body, new_id(), now)
                assert final
                keys.add(f"settle {fact.key}")
            else:
                items, _ = read_usage(body, now)
                for item in items:
                    assert not isinstance(item, Problem)
                    keys.add(f"{kind} {item[1].key}")
    assert len(keys) == 3 + 3 + 9 + 3, json.dumps(sorted(keys))
