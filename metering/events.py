"""Usage events as rows to write, and the rollups they move. Pure: the writer holds the connection.

Events and their rollups are written by the transaction that charges them, so a sum can never
disagree with its events.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Protocol
from uuid import UUID

import msgspec

from kernel.sql_files import Statement, write
from kernel.usage import COLUMN_FIELDS, FIELDS, Usage

_OTHER_FIELDS = tuple(name for name in FIELDS if name not in COLUMN_FIELDS)
_other_counts = attrgetter(*_OTHER_FIELDS)


def other_usage(usage: Usage) -> dict[str, int] | None:
    """The counts that have no column of their own."""
    counts = _other_counts(usage)
    return {name: count for name, count in zip(_OTHER_FIELDS, counts, strict=True) if count} if any(counts) else None


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """A usage event to store, in the column order of `usage_event`."""

    customer_id: int
    key_digest: UUID
    key: str
    body_digest: UUID
    occurred_at: datetime
    received_at: datetime
    feature_id: int
    action: str
    user_key: str
    run_key: str
    tags: dict[str, Any] | None
    provider: str
    model: str
    reported_model: str
    processing: str
    region: str
    memoised: bool
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    other_usage: dict[str, int] | None
    plan_version_id: int
    rate_id: int | None
    charged_microcredits: int | None
    cost_nanousd: int | None
    computed_cost_nanousd: int | None
    reported_cost_nanousd: int | None
    cost_card: str
    hold_id: UUID | None


SUMS = (
    "calls",
    "memoised_calls",
    "unpriced_calls",
    "unrated_calls",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "charged_microcredits",
    "cost_nanousd",
    "computed_cost_nanousd",
    "reported_cost_nanousd",
)
"""The columns a rollup adds up, in the order of `contribution`."""

DAY_KEY = ("customer_id", "day", "plan_version_id", "feature_id", "model", "user_key")
MONTH_KEY = ("customer_id", "month", "plan_version_id", "feature_id", "model")


def contribution(row: EventRow) -> tuple[int, ...]:
    """What one event adds to its rollups."""
    return (
        1,
        int(row.memoised),
        int(row.cost_nanousd is None),
        int(row.charged_microcredits is None),
        row.input_tokens,
        row.cache_read_tokens,
        row.cache_write_5m_tokens,
        row.cache_write_1h_tokens,
        row.output_tokens,
        row.reasoning_tokens,
        row.charged_microcredits or 0,
        row.cost_nanousd or 0,
        row.computed_cost_nanousd or 0,
        row.reported_cost_nanousd or 0,
    )


def write_statements(rows: Sequence[EventRow]) -> list[Statement]:
    """The statements that store `rows` and add them to the rollups of their own days and months."""
    if not rows:
        return []
    return [
        write("metering", "insert_events", rows),
        *rollup_statements([(row, contribution(row)) for row in rows]),
    ]


class Placed(Protocol):
    """What tells the rollup rows an event is counted in."""

    @property
    def customer_id(self) -> int: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def plan_version_id(self) -> int: ...
    @property
    def feature_id(self) -> int: ...
    @property
    def model(self) -> str: ...
    @property
    def user_key(self) -> str: ...


def rollup_statements(parts: Sequence[tuple[Placed, tuple[int, ...]]]) -> list[Statement]:
    """The statements that add to rollups what belongs to each place, in the order of `SUMS`."""
    days = _add_up((_day_key(row), part) for row, part in parts)
    months = _add_up((_month_key(row), part) for row, part in parts)
    return [
        write("metering", "add_to_usage_day", _rows(DAY_KEY, days)),
        write("metering", "add_to_usage_month", _rows(MONTH_KEY, months)),
    ]


_Key = tuple[int | date | str, ...]


def _day_key(row: Placed) -> _Key:
    return row.customer_id, row.occurred_at.date(), row.plan_version_id, row.feature_id, row.model, row.user_key


def _month_key(row: Placed) -> _Key:
    month = row.occurred_at.date().replace(day=1)
    return row.customer_id, month, row.plan_version_id, row.feature_id, row.model


def _add_up(parts: Iterable[tuple[_Key, tuple[int, ...]]]) -> dict[_Key, tuple[int, ...]]:
    sums: dict[_Key, tuple[int, ...]] = {}
    for key, part in parts:
        before = sums.get(key)
        sums[key] = part if before is None else tuple(map(int.__add__, before, part))
    return sums


def _rows(key: tuple[str, ...], sums: dict[_Key, tuple[int, ...]]) -> list[dict[str, Any]]:
    # Sorted, so that two writers of the same rows take their locks in one order.
    names = (*key, *SUMS)
    return [dict(zip(names, (*part, *total), strict=True)) for part, total in sorted(sums.items())]
