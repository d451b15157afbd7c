"""Reading the operator's cost cards from the database."""

from pathlib import Path
from typing import Final

from django.db import connection

from metering.costing.catalogue import CostCatalogue
from metering.costing.overrides import load_overrides

PUBLISHED_CARDS: Final = Path(__file__).with_name("published_cards.sql").read_text()
"""For whoever holds a cursor of their own: its rows are what load_overrides takes."""


def current_catalogue() -> CostCatalogue:
    """The cost catalogue under the cards published now."""
    with connection.cursor() as cursor:
        cursor.execute(PUBLISHED_CARDS)
        return CostCatalogue(load_overrides(cursor.fetchall()))
