"""A caller of the gate with one connection: lean, because on two cores it takes its time from the server it tests."""

import asyncio
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec


class NoAnswer(Exception):
    """The connection broke, or time ran out: nobody knows whether the call was done."""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


class Wire:
    """One keep-alive connection to a port of this machine, opened when first needed and again when it broke."""

    def __init__(self, port: int, key: str, *, patience_seconds: float = 30.0) -> None:
        self._port, self._key, self._patience = port, key, patience_seconds
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: Any = None) -> Answer:
        """Call and wait for the answer. Raises NoAnswer."""
        text = msgspec.json.encode({} if body is None else body)
        head = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {self._key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
        )
        try:
            async with asyncio.timeout(self._patience):
                return await self._exchange(head.encode() + text)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            await self.close()
            raise NoAnswer(repr(error)) from error

    async def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _exchange(self, request: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(first.split()[1]), headers, msgspec.json.decode(body) if body else None)
