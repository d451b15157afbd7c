"""Every active API key in memory, so that authenticating a call reads nothing.

A `KeyRing` is an immutable snapshot of the keys at one cache revision. Who holds one compares its
`revision` with the database's and loads another when they differ; a trigger raises the revision in
the transaction that creates or revokes a key, so a revocation acts in every process from its
commit on. Free of frameworks: the gate and the DRF side authenticate with the same code.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, Self

import msgspec

from access.keys import digest
from access.last_used import touch
from kernel.errors import NotAuthenticated

REVISION: Final = "SELECT revision FROM cache_revision"

# One statement, so one snapshot: the keys are those of exactly this revision.
SELECT_ACTIVE: Final = """
    SELECT cache_revision.revision, api_key.digest, api_key.id, api_key.name, api_key.prefix, api_key.scopes
    FROM cache_revision LEFT JOIN api_key ON api_key.revoked_at IS NULL
"""


_REMEMBERED: Final = 10_000
"""Authorization headers a ring knows by heart."""


class Cursor(Protocol):
    """The part of a DB-API cursor used here: Django's and psycopg's both fit."""

    def execute(self, query: str, params: Sequence[Any] | None = None, /) -> Any: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> Any: ...


class KeyInfo(msgspec.Struct, frozen=True):
    """Who calls, and what for. `scopes` holds the words of `access.models.Scope`."""

    id: int
    name: str
    prefix: str
    scopes: frozenset[str]

    is_authenticated: bool = True
    """DRF asks this of whatever stands for the user."""

    def may(self, scope: str) -> bool:
        """Whether the key has the scope; admin has them all."""
        return scope in self.scopes or "admin" in self.scopes


class KeyRing:
    """The active keys at one revision."""

    def __init__(self, revision: int, by_digest: Mapping[bytes, KeyInfo]) -> None:
        self.revision = revision
        self._by_digest = by_digest
        self._by_header: dict[str, KeyInfo] = {}

    @classmethod
    def from_rows(cls, rows: Iterable[Sequence[Any]]) -> Self:
        """The ring of the rows of `SELECT_ACTIVE`, for callers with a cursor of their own kind."""
        revision, by_digest = 0, {}
        for row_revision, key_digest, id_, name, prefix, scopes in rows:
            revision = row_revision
            if id_ is not None:
                by_digest[bytes(key_digest)] = KeyInfo(id_, name, prefix, frozenset(scopes))
        return cls(revision, by_digest)

    @classmethod
    def load(cls, cursor: Cursor) -> Self:
        """Read every active key, with the revision they belong to."""
        cursor.execute(SELECT_ACTIVE)
        return cls.from_rows(cursor.fetchall())

    def authenticate(self, header: str) -> KeyInfo:
        """Whose key an Authorization header carries. Raises NotAuthenticated."""
        known = self._by_header.get(header)
        if known is not None:
            touch(known.id)
            return known
        if not header:
            raise NotAuthenticated("Send an API key: Authorization: Bearer weir_sk_…")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise NotAuthenticated("The Authorization header must be: Bearer weir_sk_…")
        key = self._by_digest.get(digest(token.strip()))
        if key is None:
            raise NotAuthenticated("This API key is unknown or was revoked")
        touch(key.id)
        if len(self._by_header) < _REMEMBERED:  # One key has few headers, but any number of spaces fits before it.
            self._by_header[header] = key
        return key


_NOTHING: Final = KeyRing(-1, {})
_current = _NOTHING


def current_ring(cursor: Cursor) -> KeyRing:
    """The process's ring, read anew when the revision has moved: one row read per call.

    Two threads may load at once; either result is right, so nothing is locked.
    """
    global _current  # noqa: PLW0603 - the one process-wide snapshot
    cursor.execute(REVISION)
    row = cursor.fetchone()
    ring = _current
    if row is None or row[0] != ring.revision:
        _current = ring = KeyRing.load(cursor)
    return ring


def forget() -> None:
    """Drop what is kept (for tests, which roll revisions back)."""
    global _current  # noqa: PLW0603
    _current = _NOTHING
