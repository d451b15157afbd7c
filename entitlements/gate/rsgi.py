"""The gate's requests as Granian brings them over RSGI: 15 µs of CPU a request less than over ASGI (ADR 9).

https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md (version 1.6, read 2026-11-24).
"""

from typing import Any

from granian.rsgi import HTTPProtocol, ProtocolClosed, ProtocolError, Scope

from entitlements.gate import http


class RsgiRequest(http.Request):
    """A request over RSGI."""

    def __init__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        super().__init__(scope.method, scope.path)
        self._headers: Any = scope.headers
        self._protocol = protocol

    def header(self, name: str) -> str:
        value: str = self._headers.get(name, "")
        return value

    async def read(self, length: int | None) -> bytes:
        # The server reads all of a body at once, or hands out what comes: only a stated length bounds the former.
        if length is None:
            return await http.bounded(self._protocol)
        try:
            body: bytes = await self._protocol()
        except (ProtocolClosed, ProtocolError) as error:
            raise http.ClientGone from error
        return body
