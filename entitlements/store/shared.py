"""What the limits of a whole plan, or of everyone, have used: sums of the rollups, kept in process for seconds.

A strict counter for everybody would be one row for every call to wait for. These limits are circuit
breakers instead: they see recorded usage at most MAX_AGE_SECONDS old, and nothing that is held.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

import msgspec

from entitlements.core.limits import Shared
from kernel.sql_files import Database, Statement, sql_file
from plans.catalogue import Catalogue
from plans.terms import SHARED_SCOPES, LimitTerms, PlanTerms

MAX_AGE_SECONDS: Final = 5.0

Rows = Iterable[tuple[Any, ...]]

_encoder = msgspec.json.Encoder()


class _Wanted(msgspec.Struct, frozen=True):
    """One limit's sum, as shared_usage.sql reads it. None: of all."""

    id: int
    unit: str
    window: str
    plans: Sequence[int] | None
    feature_id: int | None
    models: Sequence[str] | None


class _Figures(NamedTuple):
    revision: int
    day: date
    read_at: float
    used: Shared


class SharedUsage:
    """One process's figures. They fit one revision of the catalogue and one UTC day; for another they are read at once.

    From half their age on, the first caller reads them anew, and the others go on with what is there.
    """

    def __init__(
        self, *, max_age_seconds: float = MAX_AGE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_age, self._clock = max_age_seconds, clock
        self._figures: _Figures | None = None
        self._reading = False

    async def of(self, catalogue: Catalogue, now: datetime, database: Database) -> Shared:
        """What the catalogue's shared limits have used. The database is asked only when there are such limits."""
        known = self._known(catalogue, now)
        if known is not None:
            return known
        statement = usage_statement(catalogue, now)
        rows: Rows = ()
        if statement is not None:
            self._reading = True
            try:
                rows = await database.ask(statement)
            finally:
                self._reading = False
        used = figures_in(rows)
        self._figures = _Figures(catalogue.revision, _day(now), self._clock(), used)
        return used

    def _known(self, catalogue: Catalogue, now: datetime) -> Shared | None:
        """The figures in memory, if they will do."""
        figures = self._figures
        if figures is None or (figures.revision, figures.day) != (catalogue.revision, _day(now)):
            return None
        age = self._clock() - figures.read_at
        if not figures.used or age < self._max_age / 2 or (self._reading and age < self._max_age):
            return figures.used
        return None


def usage_statement(catalogue: Catalogue, now: datetime) -> Statement | None:
    """The statement that answers what each shared limit has used, for `figures_in`; None when there are none."""
    wanted = [
        _wanted(limit, plan, catalogue)
        for plan in catalogue.plans.values()
        for limit in plan.limits
        if limit.scope in SHARED_SCOPES
    ]
    if not wanted:
        return None
    params = {"limits": _encoder.encode(wanted).decode(), "day": _day(now), "month": _day(now).replace(day=1)}
    return Statement(sql_file("entitlements", "shared_usage"), params)


def figures_in(rows: Rows) -> Shared:
    """What each shared limit has used, by limit id."""
    return {limit: int(used) for limit, used in rows}


def _wanted(limit: LimitTerms, plan: PlanTerms, catalogue: Catalogue) -> _Wanted:
    every_version = [version.id for version in catalogue.plans.values() if version.plan_key == plan.plan_key]
    of_tier = [model.key for model in catalogue.models.values() if model.tier_id == limit.tier_id]
    return _Wanted(
        id=limit.id,
        unit=limit.unit,
        window=limit.window,
        plans=every_version if limit.scope == "plan" else None,
        feature_id=limit.feature_id,
        models=None if limit.tier_id is None else of_tier,
    )


def _day(now: datetime) -> date:
    """Rollups are of days in UTC."""
    return now.astimezone(UTC).date()
