"""Whether what was measured was right: a fast wrong answer must not pass."""

import msgspec
import psycopg

from kernel.sql_files import sql_file


class Told(msgspec.Struct):
    """What callers were told: so many done, and so many of which they cannot know."""

    done: int = 0
    unknown: int = 0


def findings(url: str, run: str, told: dict[str, Told]) -> list[str]:
    """What does not agree: calls answered as done against rows found, and every account with its own parts."""
    with psycopg.connect(url, autocommit=True) as connection:
        stored: dict[str, int] = dict(connection.execute(sql_file("bench", "recount"), {"run": run}).fetchall())
        found = [
            f"{name}: {each.done} answered as done, {stored.get(name, 0)} in the database"
            for name, each in sorted(told.items())
            if not each.done <= stored.get(name, 0) <= each.done + each.unknown
        ]
        found += [
            f"not so for {wrong} customers: {promise}"
            for promise, wrong in connection.execute(sql_file("bench", "audit"))
            if wrong
        ]
    return found
