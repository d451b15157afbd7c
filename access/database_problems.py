"""What the database refuses, as problems: its constraints are rules with names, and the name is the reason."""

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from psycopg import Error as PsycopgError
from psycopg import errors as pg

from kernel.errors import Conflict, InvalidInput, Problem, Unavailable


def problem_for_database(exc: DatabaseError) -> Problem | None:
    """The caller's part in a database error, or None when it is not the caller's doing.

    A duplicate, a row still referred to, and a rule raised by a trigger conflict with what is
    stored (409); a broken check, a missing value or one out of range is the input's fault (422).
    """
    if isinstance(exc, DataError):
        return InvalidInput(_data_reason(exc))
    if isinstance(exc, IntegrityError):
        return _broken_rule(exc)
    if isinstance(exc, OperationalError | InterfaceError):
        return Unavailable("The database cannot be reached or is too busy; try again")
    return None


def _broken_rule(exc: IntegrityError) -> Problem | None:
    cause = exc.__cause__
    if not isinstance(cause, PsycopgError):
        return None
    rule = cause.diag.constraint_name or ""
    reason = f"This breaks the rule: {rule.replace('_', ' ')}" if rule else ""
    if isinstance(cause, pg.NotNullViolation):
        return InvalidInput("A value is needed", field=cause.diag.column_name)
    if isinstance(cause, pg.CheckViolation):
        # Only the server's own checks name a table; a trigger's RAISE explains itself instead.
        if cause.diag.table_name is None:
            return Conflict(cause.diag.message_primary or reason, constraint=rule)
        return InvalidInput(reason, constraint=rule)
    return Conflict(reason, constraint=rule)


def _data_reason(exc: DataError) -> str:
    """Never the statement or the value: the server's message may quote stored data."""
    cause = exc.__cause__
    if isinstance(cause, pg.NumericValueOutOfRange):
        return "A number is out of range"
    if isinstance(cause, pg.StringDataRightTruncation):
        return "A text is too long"
    if isinstance(cause, pg.UntranslatableCharacter | pg.CharacterNotInRepertoire) or "NUL" in str(exc):
        return "A text contains a character that cannot be stored"
    return "A value cannot be stored"
