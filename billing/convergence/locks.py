"""One worker at a time on one object, also while it is being fetched."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from kernel.ids import key_digest


@contextmanager
def one_at_a_time(thing: str) -> Iterator[None]:
    """Wait until nobody else in the service holds `thing`, and hold it until the block ends.

    A lock of the session, not of a transaction: a call to Stripe may happen inside without keeping a transaction open.
    It ends with the connection, so a killed worker leaves nothing locked.
    """
    number = int.from_bytes(key_digest(f"stripe:{thing}").bytes[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [number])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
