"""A line to the database: statements go out together in one write, and their answers come back together.

psycopg's own pipeline waits for the socket a dozen times a batch, each time a few system calls; here a reader stays
registered, and every statement is prepared once per line (ADR 17). What psycopg does in C, its wrapping of libpq and
the conversion of values, is psycopg's still.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, cast

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result

from kernel.sql_files import Statement

Rows = list[tuple[Any, ...]]

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_BINARY: Final = 1


class Line:
    """One connection in autocommit: the statements of a `run` are a transaction, unless BEGIN is among them."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], *, lost: Callable[[], None] = lambda: None) -> None:
        """`lost` is called when the server is gone, also while nobody waits for it."""
        self._connection, self._tell_lost = connection, lost
        self._wire = connection.pgconn
        self._socket = self._wire.socket
        self._loop = asyncio.get_running_loop()
        self._prepared: dict[str, bytes] = {}
        self._answers: list[pq.abc.PGresult] = []
        self._answered: asyncio.Future[list[pq.abc.PGresult]] | None = None
        self._wire.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._receive)

    @property
    def closed(self) -> bool:
        """Whether it can be used no more."""
        return self._connection.closed

    def fileno(self) -> int:
        """Its socket."""
        return self._socket

    async def close(self) -> None:
        """End it. Whatever was under way is undone by the server."""
        if not self._connection.closed:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            await self._connection.close()

    async def ask(self, statement: Statement) -> Rows:
        """The rows of one statement."""
        (rows,) = await self.run([statement])
        return rows

    async def run(self, statements: Sequence[Statement]) -> list[Rows]:
        """Run statements in one round trip; the rows of each. Raises psycopg.Error, of the first that failed.

        After an error nothing of them has happened, or, inside BEGIN, the transaction is to be ended.
        """
        await self._prepare([statement.sql for statement in statements if statement.sql not in self._prepared])
        for statement in statements:
            values = [statement.params[name] for name in _form(statement.sql).names]
            given = Transformer(self._connection).dump_sequence(values, [PyFormat.TEXT] * len(values))
            self._wire.send_query_prepared(self._prepared[statement.sql], given, result_format=_BINARY)
        return [self._rows(answer) for answer in await self._round_trip()]

    async def _prepare(self, texts: Sequence[str]) -> None:
        """Prepare what is new, in a round trip of its own: what fails later leaves it prepared."""
        if not texts:
            return
        names = {text: b"s%d" % number for number, text in enumerate(dict.fromkeys(texts), len(self._prepared))}
        for text, name in names.items():
            self._wire.send_prepare(name, _form(text).sql)
        await self._round_trip()
        self._prepared |= names

    async def _round_trip(self) -> list[pq.abc.PGresult]:
        self._wire.pipeline_sync()
        self._answered = self._loop.create_future()
        self._send()
        return await self._answered

    def _send(self) -> None:
        """Send what is waiting to go out; what the socket does not take goes when it does."""
        try:
            if self._wire.flush():
                self._loop.add_writer(self._socket, self._send)
            else:
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self._lost(error)

    def _receive(self) -> None:
        """Take what has come. The future has its result when everything up to the end of the round trip is there."""
        try:
            self._wire.consume_input()
            between = False
            while self._answered is not None and not self._wire.is_busy():
                answer = self._wire.get_result()
                if answer is None:
                    if between:
                        break
                    between = True  # Once, behind each statement's answer.
                    continue
                between = False
                if answer.status == pq.ExecStatus.PIPELINE_SYNC:
                    self._finish()
                else:
                    self._answers.append(answer)
        except psycopg.Error as error:
            self._lost(error)

    def _finish(self) -> None:
        answers, self._answers = self._answers, []
        answered, self._answered = self._answered, None
        if answered is None or answered.done():
            return
        failed = next((answer for answer in answers if answer.status == pq.ExecStatus.FATAL_ERROR), None)
        if failed is None:
            answered.set_result(answers)
        else:
            answered.set_exception(error_from_result(failed))

    def _lost(self, error: psycopg.Error) -> None:
        """The server is gone, which whoever waits hears now, and the next user when it looks whether it is closed."""
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._wire.finish()
        self._tell_lost()
        answered, self._answered = self._answered, None
        if answered is not None and not answered.done():
            answered.set_exception(error)

    def _rows(self, answer: pq.abc.PGresult) -> Rows:
        if answer.status != pq.ExecStatus.TUPLES_OK:
            return []
        loading = Transformer(self._connection)
        loading.set_pgresult(answer)
        return cast(Rows, loading.load_rows(0, answer.ntuples, tuple))


class _Form(NamedTuple):
    """A statement as the server knows it, and what its numbered parameters are called."""

    sql: bytes
    names: tuple[str, ...]


@cache
def _form(text: str) -> _Form:
    names = tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))
    numbers = {name: f"${number}" for number, name in enumerate(names, start=1)}
    return _Form(_PLACEHOLDER.sub(lambda found: numbers[found[1]], text).encode(), names)
