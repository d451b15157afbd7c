"""A line to the database that can be cut, mended, or made to lose an answer: what a network and a crash do."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

COMMITTED = b"COMMIT\x00"
"""As PostgreSQL's protocol says that a transaction is durable."""


class Line:
    """Forwards a port of its own to the database's, which `dsn` names once it is entered."""

    def __init__(self, dsn: str) -> None:
        self._parts = urlsplit(dsn)
        self.dsn = ""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._forwarding: set[asyncio.Task[Any] | None] = set()
        self._is_cut = False
        self._is_silent = False
        self._losing = False

    async def __aenter__(self) -> "Line":
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        name = self._parts.netloc.rpartition("@")[0]
        self.dsn = urlunsplit(self._parts._replace(netloc=f"{name}@127.0.0.1:{port}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*filter(None, self._forwarding), return_exceptions=True)

    def mend(self) -> None:
        """Take connections from now on."""
        self._is_cut = False

    def cut(self) -> None:
        """Break every connection, and each new one at once."""
        self._is_cut = True
        self._hang_up()

    def fall_silent(self) -> None:
        """Keep the connections, take new ones, and say nothing any more."""
        self._is_silent = True

    def lose_the_next_commit(self) -> None:
        """Let the next transaction be committed, and break the connection before anybody hears of it."""
        self._losing = True

    def _hang_up(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._forwarding.add(task)
        back, forth = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        self._open |= {writer, forth}
        if self._is_cut:
            self._hang_up()
        await asyncio.gather(
            self._pump(reader, forth, lambda _: False), self._pump(back, writer, self._is_lost), return_exceptions=True
        )
        self._open -= {writer, forth}
        self._forwarding.discard(task)

    def _is_lost(self, data: bytes) -> bool:
        if not (self._losing and COMMITTED in data):
            return False
        self._losing = False
        return True

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_lost: Callable[[bytes], bool]
    ) -> None:
        while data := await reader.read(65_536):
            if is_lost(data):
                self._hang_up()
                return
            if not self._is_silent:
                writer.write(data)
        writer.close()
