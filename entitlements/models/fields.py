"""Column types of our own."""

from typing import Any

from django.db import models


class RecordField(models.JSONField):
    """JSON kept as it was written, to be read whole and never searched: half the price of a jsonb column to insert."""

    def db_type(self, connection: Any) -> str:
        return "json"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        # psycopg has decoded it already; only of jsonb does Django take the text.
        return value
