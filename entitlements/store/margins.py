"""Who is below a margin floor, kept in process for seconds: what the margin guard decides from.

Only customers below a floor are read, so this is small however many are guarded; and while nobody has set a floor the
database is asked once per revision, so a decision costs nothing.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from entitlements.core.margin_figure import MarginFigure
from kernel.sql_files import Database, Statement, sql_file

MAX_AGE_SECONDS: Final = 5.0
"""How much later than it was written a figure may be seen. It comes on top of the figure's own age."""

BelowFloor = Mapping[int, MarginFigure]
"""The figures of the customers below a floor in force, by customer id."""

_decode = msgspec.json.Decoder(dict[int, MarginFigure]).decode


class _Read(NamedTuple):
    revision: int
    read_at: float
    guarded: bool
    below: BelowFloor


class MarginFigures:
    """One process's figures. They fit one revision; from half their age on the first caller reads them anew."""

    def __init__(
        self, *, max_age_seconds: float = MAX_AGE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_age, self._clock = max_age_seconds, clock
        self._known: _Read | None = None
        self._reading = False

    async def of(self, revision: int, now: datetime, database: Database) -> BelowFloor:
        """Who is below a floor."""
        known = self._known
        if known is not None and known.revision == revision and self._will_do(known):
            return known.below
        self._reading = True
        try:
            statement = figures_statement(now)
            rows = await database.ask(statement)
        finally:
            self._reading = False
        guarded, below = figures_in(rows)
        self._known = _Read(revision, self._clock(), guarded, below)
        return below

    def _will_do(self, known: _Read) -> bool:
        if not known.guarded:
            return True
        age = self._clock() - known.read_at
        return age < self._max_age / 2 or (self._reading and age < self._max_age)


def figures_statement(now: datetime) -> Statement:
    """The statement that answers who is below a floor, for `figures_in`."""
    return Statement(sql_file("entitlements", "margin_figures"), {"now": now})


def figures_in(rows: Iterable[tuple[Any, ...]]) -> tuple[bool, BelowFloor]:
    """Whether there are guards at all, and who is below a floor."""
    ((guarded, text),) = rows
    return guarded, _decode(text)
