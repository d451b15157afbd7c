"""uvicorn's protocol with a short way to the gate. Django gets everything else, on the same port.

A call of the gate comes as one small JSON body and goes as another, thousands a second. ASGI's scope and messages,
and the checks of each, cost as much as deciding does, so the gate's paths leave uvicorn's protocol where a request's
headers are parsed, and come back to it with one write (ADR 18). Parsing, keep-alive, pipelining, flow control and
shutdown stay uvicorn's.
"""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from config.asgi import gate
from entitlements.gate import http

_STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


class GateCycle(http.Request):
    """A request of the gate's and its answer, with what uvicorn's protocol asks of any request and its answer."""

    def __init__(self, front: "Front", path: str, *, keep_alive: bool) -> None:
        super().__init__("POST", path)
        self._front, self._headers = front, dict(front.headers)
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.more_body = True
        self.message_event = asyncio.Event()
        self.disconnected = self.response_complete = False

    def header(self, name: str) -> str:
        return self._headers.get(name.encode(), b"").decode("latin-1")

    async def read(self, length: int | None) -> bytes:
        if not self.more_body:
            return bytes(self.body)
        if self._front.expect_100_continue:
            self._front.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return await http.bounded(self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            if self.disconnected:
                raise http.ClientGone
            more, chunk = self.more_body, bytes(self.body)
            self.body.clear()
            yield chunk
            if more:
                self._front.flow.resume_reading()
                await self.message_event.wait()
                self.message_event.clear()

    async def run_asgi(self, _: Any) -> None:
        """Answer, unless the caller is gone. (The protocol calls it so for every request.)"""
        try:
            answer = await gate.answer(self)
        except http.ClientGone:
            return
        if self._front.flow.write_paused and not self.disconnected:
            await self._front.flow.drain()
        if self.disconnected:
            return
        self._front.transport.write(self._written(answer))
        self.response_complete = True
        if not self.keep_alive:
            self._front.transport.close()
        self._front.on_response_complete()

    def _written(self, answer: http.Answer) -> bytes:
        head = [_STATUS[answer.status]]
        head += [f"{name}: {value}\r\n" for name, value in answer.headers]
        if not self.keep_alive:
            head.append("connection: close\r\n")
        head.append(f"content-length: {len(answer.body)}\r\n")
        named = [name + b": " + value + b"\r\n" for name, value in self._front.server_state.default_headers]
        return b"".join(["".join(head).encode("latin-1"), *named, b"\r\n", answer.body])


class Front(HttpToolsProtocol):
    """uvicorn's protocol, with a short way to the gate."""

    cycle: Any
    _heads = 0
    """How many requests' headers were complete so far."""
    _head = 0
    """Bytes of the headers that are not."""
    _in_body = False

    def data_received(self, data: bytes) -> None:
        heads, in_body = self._heads, self._in_body
        super().data_received(data)
        if in_body or self._in_body or self._heads != heads:
            self._head = 0
            return
        # The parser keeps a header until it is whole, and would keep one without end.
        self._head += len(data)
        if self._head > http.MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("The request's headers are too large.")

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_body = False

    def on_headers_complete(self) -> None:
        self._heads += 1
        self._in_body = True
        path = self.url.decode("latin-1")
        if self.parser.get_method() != b"POST" or not gate.serves(path) or self.parser.should_upgrade():
            super().on_headers_complete()
            return
        keep_alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        before, self.cycle = self.cycle, GateCycle(self, path, keep_alive=keep_alive)
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            # The caller did not wait for its last answer: one after the other.
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))
