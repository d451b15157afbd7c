"""Customers by their keys, for commands. Their table is another app's, above this one: only its key and id are read."""

from collections.abc import Iterable

from django.db import connection


def customer_id_of(key: str) -> int | None:
    """The id of the customer with this key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM customer WHERE key = %s", [key])
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def keys_of(customer_ids: Iterable[int]) -> dict[int, str]:
    """The keys of customers, by id."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, key FROM customer WHERE id = ANY(%s)", [list(customer_ids)])
        return dict(cursor.fetchall())
