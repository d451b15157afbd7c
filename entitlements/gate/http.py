"""The little of HTTP the gate needs, over ASGI: read a bounded JSON body, write an answer."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
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
    """A request being served."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.path: str = scope["path"]
        self.method: str = scope["method"]
        self.id = ""
        """The id in the path, where the route has one."""
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self._receive = receive

    def header(self, name: bytes) -> str:
        """A header's value by its lower-case name; "" when it is not there."""
        return self._headers.get(name, b"").decode("latin-1")

    async def json_body(self) -> bytes:
        """The body's bytes. Raises UnsupportedMedia, BodyTooLarge (before reading it when its length is stated)."""
        if not _is_json(self._headers.get(b"content-type", b"")):
            raise UnsupportedMedia("send the body with Content-Type: application/json")
        stated = self._headers.get(b"content-length", b"")
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


@lru_cache(maxsize=256)
def _is_json(content_type: bytes) -> bool:
    kind = content_type.partition(b";")[0].strip().lower()
    return kind == b"application/json" or (kind.startswith(b"application/") and kind.endswith(b"+json"))


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
