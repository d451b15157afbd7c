"""Statements about what ledgers earned, put together from the files that share how it is counted."""

from functools import cache
from typing import Final

from entitlements.core.words import Bucket, EntryKind
from kernel.sql_files import sql_file

_WORDS: Final = {
    "grant": EntryKind.GRANT,
    "burn": EntryKind.BURN,
    "refund": EntryKind.REFUND,
    "expire": EntryKind.EXPIRE,
    "overage": EntryKind.OVERAGE,
    "overage_paid": EntryKind.OVERAGE_PAID,
    "overage_billed": EntryKind.OVERAGE_BILLED,
    "reversal": EntryKind.REVERSAL,
    "restored": EntryKind.RESTORED,
    "posted": Bucket.POSTED,
    "overage_bucket": Bucket.OVERAGE,
}


@cache
def fragment(name: str) -> str:
    """The text of ``margins/sql/<name>.sql`` with the ledger's words as the numbers it stores."""
    text = sql_file("margins", name)
    for word, number in _WORDS.items():
        text = text.replace(f"%({word})s", str(number.value))
    return text


UNREAD: Final = ("unread", "earned")
"""CTEs: what the ledgers earned since they were added up, as `earned`."""

NOTHING_UNREAD: Final = ("nothing_unread",)
"""The same where it is known that they have earned nothing since: half as much for the database to plan."""

REREAD: Final = ("reread", "earned")
"""CTEs: what the ledgers earned up to where they were added up, counted anew, as `earned`."""


@cache
def statement(begins_with: tuple[str, ...], then: str) -> str:
    """One statement out of CTEs and what uses them."""
    ctes = ",\n".join(fragment(name).rstrip() for name in begins_with)
    return f"WITH {ctes}\n{fragment(then)}"
