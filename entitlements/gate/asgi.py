"""The gate's requests as an ASGI server brings them."""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from entitlements.gate import http

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class AsgiRequest(http.Request):
    """A request over ASGI."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope["method"], scope["path"])
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self._receive = receive

    def header(self, name: str) -> str:
        return self._headers.get(name.encode(), b"").decode("latin-1")

    async def read(self, length: int | None) -> bytes:
        return await http.bounded(self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise http.ClientGone
            yield message.get("body", b"")
            more = message.get("more_body", False)


async def respond(send: Send, answer: http.Answer) -> None:
    """Send an answer."""
    headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
