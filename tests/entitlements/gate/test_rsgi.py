"""The gate's requests over RSGI, where test_fronts.py with its real server cannot make a caller misbehave."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from granian.rsgi import ProtocolClosed

from entitlements.gate.app import Gate
from entitlements.gate.http import MAX_BODY, ClientGone
from entitlements.gate.rsgi import RsgiRequest
from kernel.errors import BodyTooLarge

JSON = {"content-type": "application/json"}


class Protocol:
    """A protocol whose caller sends these chunks, or hangs up when all of the body is asked for."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks, self.read, self.answers = chunks, 0, 0

    async def __call__(self) -> bytes:
        raise ProtocolClosed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            self.read += 1
            yield chunk

    def response_bytes(self, *answer: Any) -> None:
        self.answers += 1


def request(protocol: Protocol, **headers: str) -> RsgiRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    scope: Any = SimpleNamespace(method="POST", path="/v1/check", headers=JSON | named)
    return RsgiRequest(scope, protocol)  # type: ignore[arg-type]


def test_a_body_in_chunks_is_read_no_further_than_the_limit() -> None:
    protocol = Protocol(*[b" " * (MAX_BODY // 2)] * 5)
    with pytest.raises(BodyTooLarge):
        asyncio.run(request(protocol).json_body())
    assert protocol.read == 3


def test_a_body_stated_too_large_is_not_read() -> None:
    with pytest.raises(BodyTooLarge):
        asyncio.run(request(Protocol(), content_length=str(MAX_BODY + 1)).json_body())


def test_a_caller_who_hangs_up_before_all_is_sent_is_gone() -> None:
    with pytest.raises(ClientGone):
        asyncio.run(request(Protocol(), content_length="4").json_body())


def test_who_is_gone_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(_: Gate, request: RsgiRequest) -> Any:
        raise ClientGone

    monkeypatch.setattr(Gate, "answer", gone)
    protocol = Protocol()
    scope = SimpleNamespace(method="POST", path="/v1/check", headers=JSON)

    async def serve() -> None:
        await Gate("postgresql://nowhere/none").__rsgi__(scope, protocol)

    asyncio.run(serve())
    assert protocol.answers == 0
