"""Everything the sandbox remembers, in one SQLite file (or in memory): objects, answers, counters, deliveries.

A unit of work reads objects as plain dicts and changes them in place; its end writes what changed, and either all
of it is kept or none. Callers hold one lock around a unit, so that there is one at a time.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sandbox.errors import Obj

_TABLES = """
CREATE TABLE IF NOT EXISTS object (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, number INTEGER NOT NULL, clock TEXT NOT NULL, due INTEGER,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS object_by_kind ON object (kind, number);
CREATE INDEX IF NOT EXISTS object_by_customer ON object (kind, json_extract(body, '$.customer'), number);
CREATE INDEX IF NOT EXISTS object_by_due ON object (clock, due, number) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, request_id TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, event TEXT NOT NULL, endpoint TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS delivery_by_event ON delivery (event);
CREATE INDEX IF NOT EXISTS delivery_by_state ON delivery (state);
"""


class Where(NamedTuple):
    """A condition on a field, whose name may be a path with dots.

    ``LIKE ANY`` takes a list of texts in which ``*`` stands for anything.
    """

    field: str
    comparison: Literal["IS", "IS NOT", ">", ">=", "<", "<=", "LIKE ANY"]
    value: Any

    def sql(self) -> tuple[str, list[Any]]:
        extracted = f"json_extract(body, '$.{self.field}')"
        if self.comparison != "LIKE ANY":
            return f"{extracted} {self.comparison} ?", [self.value]
        return f"({' OR '.join(f'{extracted} GLOB ?' for _ in self.value)})", list(self.value)


class Store:
    """See the module. `where` is a path, or ``:memory:``."""

    def __init__(self, where: str) -> None:
        if where != ":memory:":
            Path(where).resolve().parent.mkdir(parents=True, exist_ok=True)
        self.sql = sqlite3.connect(where, check_same_thread=False, isolation_level=None)
        if where != ":memory:":
            self.sql.execute("PRAGMA journal_mode = WAL")
            self.sql.execute("PRAGMA synchronous = NORMAL")  # a power cut may lose the last moments, never the file
        self.sql.executescript(_TABLES)
        self._loaded: dict[str, Obj] = {}
        self._found: dict[str, str] = {}
        self._flushed: dict[str, str] = {}

    @contextmanager
    def unit(self) -> Iterator[None]:
        """All that is done inside is kept, or, if it raises, nothing is."""
        self.sql.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._flush()
        except BaseException:
            self.sql.execute("ROLLBACK")
            raise
        else:
            self.sql.execute("COMMIT")
        finally:
            self._forget()

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Inside a unit: what is done here is undone at the end. Objects read before must be read again."""
        self._flush()
        self.sql.execute("SAVEPOINT rehearsal")
        try:
            yield
        finally:
            self.sql.execute("ROLLBACK TO rehearsal")
            self.sql.execute("RELEASE rehearsal")
            self._forget()

    def add(self, obj: Obj) -> None:
        """A new object; its place in lists is after all before it."""
        body = _written(obj)
        self.sql.execute(
            "INSERT INTO object (id, kind, number, clock, due, body) VALUES (?, ?, ?, ?, ?, ?)",
            (obj["id"], obj["object"], self.count("object"), obj.get("test_clock") or "", obj.get("_due"), body),
        )
        self._remember_as_is(obj["id"], obj, body)

    def get(self, identifier: str) -> Obj | None:
        """The object, the same dict throughout a unit; deleted ones too, marked so."""
        if identifier not in self._loaded:
            row = self.sql.execute("SELECT body FROM object WHERE id = ?", (identifier,)).fetchone()
            if row is None:
                return None
            self._keep(identifier, row[0])
        return self._loaded[identifier]

    def before(self, obj: Obj) -> Obj:
        """The object as this unit found it; empty for a new one whose creation was not written yet."""
        found: Obj = json.loads(self._found.get(obj["id"], "{}"))
        return found

    def find(self, kind: str, /, **equal: Any) -> list[Obj]:
        """All objects of a kind whose fields are as given, newest first; deleted ones left out.

        A field's name may be a path, with dots: ``**{"payment.payment_intent": "pi_1"}``.
        """
        return self.select(kind, [Where(name, "IS", value) for name, value in equal.items()])

    def select(
        self,
        kind: str,
        wheres: Sequence["Where"],
        *,
        limit: int = -1,
        beyond: str | None = None,
        backwards: bool = False,
    ) -> list[Obj]:
        """Objects that meet every condition, newest first; the oldest first if `backwards`.

        `beyond` is the id of the object after which, in that order, the selection starts.
        """
        self._flush()
        sql = "SELECT id, body FROM object WHERE kind = ? AND json_extract(body, '$.deleted') IS NULL"
        arguments: list[Any] = [kind]
        for where in wheres:
            condition, values = where.sql()
            sql += f" AND {condition}"
            arguments += values
        if beyond is not None:
            sql += f" AND number {'>' if backwards else '<'} (SELECT number FROM object WHERE id = ?)"
            arguments.append(beyond)
        sql += f" ORDER BY number {'ASC' if backwards else 'DESC'} LIMIT ?"
        rows = self.sql.execute(sql, (*arguments, limit)).fetchall()
        return [self._keep(identifier, body) for identifier, body in rows]

    def next_due(self, clock: str, until: int) -> Obj | None:
        """What happens first on this clock, if anything does until then (seconds since the epoch, included)."""
        self._flush()
        row = self.sql.execute(
            "SELECT id, body FROM object WHERE clock = ? AND due <= ? ORDER BY due, number LIMIT 1", (clock, until)
        ).fetchone()
        return None if row is None else self._keep(*row)

    def count(self, name: str) -> int:
        """The next number of a series: 1, 2, 3."""
        row = self.sql.execute(
            "INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (name,),
        ).fetchone()
        return int(row[0])

    def setting(self, name: str) -> Any:
        """A remembered value; None if there is none."""
        row = self.sql.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def remember(self, name: str, value: Any) -> None:
        self.sql.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, json.dumps(value)))

    def clear(self) -> None:
        """Forget everything."""
        for table in ("object", "counter", "answer", "delivery", "setting"):
            self.sql.execute(f"DELETE FROM {table}")
        self._forget()

    def _keep(self, identifier: str, body: str) -> Obj:
        if identifier not in self._loaded:
            self._remember_as_is(identifier, json.loads(body), body)
        return self._loaded[identifier]

    def _remember_as_is(self, identifier: str, obj: Obj, body: str) -> None:
        self._loaded[identifier] = obj
        self._found[identifier] = self._flushed[identifier] = body

    def _flush(self) -> None:
        for identifier, obj in self._loaded.items():
            body = _written(obj)
            if body != self._flushed[identifier]:
                self.sql.execute(
                    "UPDATE object SET clock = ?, due = ?, body = ? WHERE id = ?",
                    (obj.get("test_clock") or "", obj.get("_due"), body, identifier),
                )
                self._flushed[identifier] = body

    def _forget(self) -> None:
        self._loaded, self._found, self._flushed = {}, {}, {}


def _written(obj: Obj) -> str:
    return json.dumps(obj, separators=(",", ":"))
