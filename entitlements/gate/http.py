"""The little of HTTP the gate needs, over ASGI: read a bounded JSON body, write an answer."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import msgspec

from access.keys import CHALLENGE
from kernel.errors import BodyTooLarge, Problem, UnsupportedMedia

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY = 8 * 1024 * 1024
"""Bytes. 10,000 events of a provider's whole usage body fit."""

_encoder = msgspec.json.Encoder()


class Request:
    """A request being served. Headers are decoded once, by lower-case name."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.path: str = scope["path"]
        self.method: str = scope["method"]
        self.id = ""
        """The id in the path, where the route has one."""
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self._receive = receive

    async def json_body(self) -> bytes:
        """The body's bytes. Raises UnsupportedMedia, BodyTooLarge (before reading it when its length is stated)."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            raise UnsupportedMedia("send the body with Content-Type: application/json")
        stated = self.headers.get("content-length", "")
        if stated.isdigit() and int(stated) > MAX_BODY:
            raise _too_large()
        chunks, size = [], 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > MAX_BODY:
                raise _too_large()
            chunks.append(chunk)
            if not message.get("more_body"):
                return b"".join(chunks)


class ClientGone(Exception):
    """The caller hung up before sending everything: there is nobody to answer."""


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(f"the body is limited to {MAX_BODY} bytes; send smaller batches")


async def answer(
    send: Send, status: int, body: Any, *, request_id: str, headers: Mapping[str, str] | None = None
) -> None:
    """Send a JSON answer."""
    await _send(send, status, _encoder.encode(body), b"application/json", request_id, headers or {})


async def refuse(send: Send, problem: Problem, *, request_id: str) -> None:
    """Send a problem, with the headers its status calls for."""
    headers = {}
    if problem.status == 401:
        headers["www-authenticate"] = CHALLENGE
    if problem.status == 503:
        headers["retry-after"] = "1"
    if problem.status == 405:
        headers["allow"] = problem.extra.get("allow", "POST")
    body = _encoder.encode(problem.body(request_id))
    await _send(send, problem.status, body, b"application/problem+json", request_id, headers)


async def _send(
    send: Send, status: int, body: bytes, content_type: bytes, request_id: str, headers: Mapping[str, str]
) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type),
                (b"content-length", str(len(body)).encode()),
                (b"x-request-id", request_id.encode("latin-1")),
                *((name.encode(), value.encode("latin-1")) for name, value in headers.items()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
