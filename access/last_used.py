"""When each key was last used, to the minute, without a write per call.

Authenticating only adds the key's id to a set; `flush_last_used` writes the set in one statement
that waits for nobody. Whoever serves calls flushes when `is_due`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

RESOLUTION: Final = timedelta(minutes=1)

# SKIP LOCKED: another process is writing the same minute, so there is nothing to wait for.
UPDATE: Final = """
    UPDATE api_key SET last_used_at = %(now)s
    WHERE id IN (
        SELECT id FROM api_key
        WHERE id = ANY(%(ids)s) AND (last_used_at IS NULL OR last_used_at < %(now)s)
        ORDER BY id FOR UPDATE SKIP LOCKED
    )
"""


class _Cursor(Protocol):
    def execute(self, query: str, params: dict[str, Any], /) -> Any: ...


_touched: set[int] = set()
_flushed_at: datetime | None = None


def touch(key_id: int) -> None:
    """Remember that the key was used."""
    _touched.add(key_id)


def is_due(now: datetime) -> bool:
    """Whether a minute has passed since the last flush and there is something to write."""
    return bool(_touched) and (_flushed_at is None or now - _flushed_at >= RESOLUTION)


def take() -> Sequence[int]:
    """The ids touched since the last take, for a caller that writes them with `UPDATE` itself."""
    ids = sorted(_touched)
    _touched.difference_update(ids)
    return ids


def forget() -> None:
    """Drop what is remembered (for tests, which roll back what was written)."""
    global _flushed_at  # noqa: PLW0603
    _flushed_at = None
    _touched.clear()


def flush_last_used(cursor: _Cursor, now: datetime) -> int:
    """Write the keys used since the last flush; returns how many there were."""
    global _flushed_at  # noqa: PLW0603 - process-wide like the set itself
    _flushed_at = now
    ids = take()
    if ids:
        cursor.execute(UPDATE, {"now": now.replace(second=0, microsecond=0), "ids": list(ids)})
    return len(ids)
