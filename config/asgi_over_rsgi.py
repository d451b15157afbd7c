"""An ASGI application's HTTP requests served over RSGI, which Granian itself does not offer.

What RSGI does not hand over cannot be handed on: a request's header whose value is not ASCII is missing, and
`raw_path` is the path quoted anew. A body sent in chunks that breaks off looks like a shorter one; one whose
length was stated does not.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

from granian.rsgi import HTTPProtocol, ProtocolClosed, ProtocolError, Scope

Message = Mapping[str, Any]
Application = Callable[
    [dict[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

_DISCONNECT: Message = {"type": "http.disconnect"}


async def serve(application: Application, scope: Scope, protocol: HTTPProtocol) -> None:
    """Let the application answer the request."""
    asgi_scope = _asgi_scope(scope)
    stated = next((value for name, value in asgi_scope["headers"] if name == b"content-length"), b"0")
    exchange = _Exchange(protocol, int(stated) if stated.isdigit() else 0)
    await application(asgi_scope, exchange.receive, exchange.send)


class _Exchange:
    """A request's body on its way in, and the answer on its way out."""

    def __init__(self, protocol: HTTPProtocol, missing: int) -> None:
        self._protocol = protocol
        self._missing = missing
        """Bytes of the body still to come, as far as its length was stated."""
        self._chunks: AsyncIterator[bytes] | None = aiter(protocol)
        self._start: Message = {}
        self._stream: Any = None

    async def receive(self) -> Message:
        """The next of the body; when it is over, that the caller is gone."""
        if self._chunks is None:
            await self._protocol.client_disconnect()
            return _DISCONNECT
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            self._chunks = None
            if self._missing > 0:
                return _DISCONNECT
            return {"type": "http.request", "body": b"", "more_body": False}
        except (ProtocolClosed, ProtocolError):
            self._chunks = None
            return _DISCONNECT
        self._missing -= len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(self, message: Message) -> None:
        """Take a part of the answer. What is sent to a caller who is gone is lost, as ASGI wants it."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._stream is None and not more:
            self._protocol.response_bytes(self._start["status"], self._headers(), body)
            return
        if self._stream is None:
            self._stream = self._protocol.response_stream(self._start["status"], self._headers())
        if body:
            try:
                await self._stream.send_bytes(body)
            except (ProtocolClosed, ProtocolError):
                return
        if not more:
            self._stream = None  # which ends it

    def _headers(self) -> list[tuple[str, str]]:
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._start.get("headers", ())]


def _asgi_scope(scope: Scope) -> dict[str, Any]:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in scope.headers.items()]
    if scope.authority and "host" not in scope.headers:  # HTTP/2 names the host outside the headers.
        headers.insert(0, (b"host", scope.authority.encode("latin-1")))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": scope.http_version,
        "scheme": scope.scheme,
        "method": scope.method,
        "root_path": "",
        "path": scope.path,
        "raw_path": quote(scope.path).encode(),
        "query_string": scope.query_string.encode("latin-1"),
        "headers": headers,
        "client": _address(scope.client),
        "server": _address(scope.server),
        "extensions": {},
    }


def _address(text: str) -> tuple[str, int] | None:
    """Host and port; None where the server listens on something else."""
    host, _, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if port.isdecimal() else None
