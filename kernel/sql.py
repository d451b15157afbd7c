"""Database functions and triggers as numbered files, installed by a migration that can go back.

``InstallSql("plans", "publish_guard", 2)`` runs ``plans/sql/publish_guard.v2.sql`` (a whole
definition, immutable once released) and, backwards, ``publish_guard.v1.sql``; going back from
version 1 runs ``publish_guard.drop.sql``.
"""

from typing import Any

from django.db.migrations.operations.base import Operation

from kernel.sql_files import sql_file


class InstallSql(Operation):
    """Install version `version` of the database object `name` of `app`."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, app: str, name: str, version: int = 1) -> None:
        self.app, self.name, self.version = app, name, version

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Functions and triggers are outside Django's model state."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._run(schema_editor, f"{self.name}.v{self.version}")

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        previous = f"v{self.version - 1}" if self.version > 1 else "drop"
        self._run(schema_editor, f"{self.name}.{previous}")

    def _run(self, schema_editor: Any, name: str) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(sql_file(self.app, name))

    def describe(self) -> str:
        return f"Install {self.app}/sql/{self.name}.v{self.version}.sql"

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__qualname__, [self.app, self.name, self.version], {}
