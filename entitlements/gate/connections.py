"""A free list of connections: taking one is a pop, giving it back a push."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import psycopg

from entitlements.gate.line import Line
from kernel.errors import Unavailable

# A stalled process must not keep customers' rows locked; a slow statement is answered 503, not waited for
# (20 s is a batch of 10,000 events on a busy machine; a lock is waited for 4 s).
_OPTIONS = " ".join(
    f"-c {setting}"
    for setting in (
        "idle_in_transaction_session_timeout=5s",
        "statement_timeout=20s",
        "lock_timeout=4s",
        "timezone=UTC",
        # The statements are few and looked up by key: planning one anew costs as much as running it.
        "plan_cache_mode=force_generic_plan",
        # And a plan made while a table was small must still be right when it is not: look up, never read it all.
        "enable_seqscan=off",
        "enable_hashjoin=off",
        "enable_mergejoin=off",
    )
)


PATIENCE_SECONDS = 30.0
"""What the server's own limits do not bound: a line that fell silent. More than any of them."""


class Connections:
    """At most `most` connections, opened when first needed, replaced when broken."""

    def __init__(self, dsn: str, *, most: int, lost: Callable[[], None] = lambda: None) -> None:
        """`lost` is called when one of them loses its server."""
        self._dsn, self._lost = dsn, lost
        self._room = asyncio.Semaphore(most)
        self._free: list[Line] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Line]:
        """A connection of the caller's own. Raises Unavailable when the database cannot be reached."""
        async with self._room:
            connection = self._free.pop() if self._free else None
            if connection is None or connection.closed:
                connection = await self._open()
            watch = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, _hang_up, connection)
            try:
                yield connection
            except BaseException:
                # Its state is unknown (a cancelled pipeline, a lost server): a new one is cheaper than being wrong.
                await connection.close()
                raise
            finally:
                watch.cancel()
            self._free.append(connection)

    async def close(self) -> None:
        """Close what is free; what is out closes with its batch."""
        while self._free:
            await self._free.pop().close()

    async def _open(self) -> Line:
        try:
            return Line(
                await psycopg.AsyncConnection.connect(
                    self._dsn, options=_OPTIONS, autocommit=True, connect_timeout=5, application_name="weir-gate"
                ),
                lost=self._lost,
            )
        except psycopg.OperationalError as error:
            raise Unavailable("the database cannot be reached") from error


def _hang_up(line: Line) -> None:
    """End the line under a connection, so that whoever waits on it hears that it is lost.

    (Cancelling the wait would not do: the answer might still come, to whoever uses the line next.)
    """
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(line.fileno())) as under:
        under.shutdown(socket.SHUT_RDWR)
