"""What changed on days that were over already: late usage, corrections, money that came back. Reads only."""

from datetime import date, datetime
from typing import NamedTuple

from django.db import connection

from margins.queries.facts import are_behind
from margins.queries.ledger_sql import NOTHING_UNREAD, UNREAD, statement
from margins.queries.margins import Scope
from margins.recognition import day_start


class Restated(NamedTuple):
    """By how much a day's figures were changed after it was over, and when that last happened.

    `revenue_nano` is in `currency`, what the customers are billed in; `cost_nanousd` is of the late calls, and what
    re-ratings moved of the day's others.
    """

    day: date
    currency: str
    revenue_nano: int
    calls: int
    cost_nanousd: int
    last_at: datetime


def restated_days(scope: Scope) -> list[Restated]:
    """The days of the scope that were restated, in order. A report made before `last_at` showed them without this."""
    parameters = {
        "first_day": scope.start,
        "end_day": scope.end,
        "since": day_start(scope.start),
        "until": day_start(scope.end),
        "customers": None if scope.customer_ids is None else list(scope.customer_ids),
    }
    unread = scope.customer_ids is None or are_behind(scope.customer_ids)
    with connection.cursor() as cursor:
        cursor.execute(statement(UNREAD if unread else NOTHING_UNREAD, "restated"), parameters)
        return [
            Restated(day, currency, int(revenue), int(calls), int(cost), last_at)
            for day, currency, revenue, calls, cost, last_at in cursor.fetchall()
        ]
