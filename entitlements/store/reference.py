"""What every decision refers to, kept in process: the catalogue, the cost catalogue, the API keys.

All of it is of one revision (`cache_revision`). Loading an account returns the revision; when it
differs from ours, everything is read again before anything is decided.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from access.key_cache import SELECT_ACTIVE, KeyRing
from kernel.sql_files import Database, Statement
from metering.costing import CostCatalogue, load_overrides
from metering.costing.queries import PUBLISHED_CARDS
from plans import catalogue as plans_catalogue
from plans.catalogue import Catalogue

Rows = Sequence[tuple[Any, ...]]


class Reference(msgspec.Struct, frozen=True):
    """The reference data of one revision."""

    revision: int
    catalogue: Catalogue
    costs: CostCatalogue
    keys: KeyRing


_SELECTS = (plans_catalogue.LOAD_SQL, PUBLISHED_CARDS, SELECT_ACTIVE)


def build(catalogue: Rows, overrides: Rows, keys: Rows) -> Reference:
    """The reference data in the rows of `_SELECTS`.

    The catalogue is read first and names the revision: what changes meanwhile is read again.
    """
    known = plans_catalogue.from_json(catalogue[0][0])
    return Reference(known.revision, known, CostCatalogue(load_overrides(overrides)), KeyRing.from_rows(keys))


class ReferenceCache:
    """One process's reference data; of a revision or later, from memory when it is there.

    Two readers may load at once: either result is right, so nothing is locked.
    """

    def __init__(self) -> None:
        self._known: Reference | None = None

    def known(self) -> Reference | None:
        """What is in memory, of whatever revision."""
        return self._known

    def of_sync(self, revision: int, cursor: Any) -> Reference:
        """The reference data of `revision`, read with a blocking cursor if need be."""
        known = self._known
        if known is None or known.revision != revision:
            results = []
            for select in _SELECTS:
                cursor.execute(select)
                results.append(cursor.fetchall())
            self._known = known = build(*results)
        return known

    async def of(self, revision: int, database: Database) -> Reference:
        """The reference data of `revision`, asked for if need be."""
        known = self._known
        return known if known is not None and known.revision == revision else await self.load(database)

    async def load(self, database: Database) -> Reference:
        """Read all of it."""
        results = [await database.ask(Statement(select, {})) for select in _SELECTS]
        self._known = known = build(*results)
        return known

    def forget(self) -> None:
        """Drop what is kept (for tests, which roll revisions back)."""
        self._known = None


django_reference = ReferenceCache()
"""The cache of everything that runs in Django; a gate has its own."""
