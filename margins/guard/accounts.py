"""The accounts whose figure the gate may need: guarded, and used or below their floor."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection

from entitlements.core.words import Bucket, EntryKind
from kernel.sql_files import sql_file
from margins.queries.currencies import margin_setting

_WORDS: Final = {
    "posted": Bucket.POSTED.value,
    "overages": Bucket.OVERAGE.value,
    "burn": EntryKind.BURN.value,
    "overage": EntryKind.OVERAGE.value,
    "overage_paid": EntryKind.OVERAGE_PAID.value,
}


class GuardedAccount(NamedTuple):
    """A guarded customer's current period. `credits_left` is None where overage follows the credits."""

    customer_id: int
    key: str
    currency: str
    period_start: datetime
    period_end: datetime
    subscribed_at: datetime
    price_nano: int
    price_currency: str
    credits_left: int | None
    floor_micro: int
    """The highest of the floors in force: below it there is something to tell."""


class FirstHours(NamedTuple):
    """What was used between a period's start and the first midnight after it. Nano-units and microcredits."""

    cost_nanousd: int
    revenue_nano: int
    charged_microcredits: int
    unpriced_calls: int


def due_accounts(now: datetime, customer_ids: Sequence[int] | None = None) -> list[GuardedAccount]:
    """Guarded customers whose figure is missing, of another period, below a floor, older than an hour, or used since.

    `customer_ids` are refreshed whatever their figure is, as far as they are guarded.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            sql_file("margins", "guarded_accounts"),
            {"now": now, "customers": None if customer_ids is None else list(customer_ids)},
        )
        return [GuardedAccount(*row) for row in cursor.fetchall()]


def first_hours(accounts: Sequence[GuardedAccount]) -> dict[int, FirstHours]:
    """What these accounts used before the first midnight of their period, from the events and the ledger themselves."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql_file("margins", "first_hours"),
            {
                "customers": [account.customer_id for account in accounts],
                "starts": [account.period_start for account in accounts],
                "inference": margin_setting().inference_cost,
                **_WORDS,
            },
        )
        return {row[0]: FirstHours(*map(int, row[1:])) for row in cursor.fetchall()}
