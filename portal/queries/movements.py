"""What a customer's credits did lately, hour by hour or day by day."""

from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from django.db import connection
from django.db.models import Sum

from entitlements.models import Customer, LedgerEntry
from kernel.sql_files import sql_file

Step = Literal["hour", "day"]

LENGTHS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1)}

MOST_HOURS: Final = timedelta(days=62)
"""A longer stretch is told by days: more points than pixels show nothing more."""


class Movement(NamedTuple):
    """One hour or day. Microcredits: `net` moved posted − debt − overage, `used` is what usage took of that."""

    starts_at: datetime
    net: int
    used: int


def step_for(since: datetime, until: datetime) -> Step:
    return "hour" if until - since <= MOST_HOURS else "day"


def movements(customer: Customer, since: datetime, step: Step) -> list[Movement]:
    """The steps from `since` on in which something happened, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql_file("portal", "movements"),
            {"customer_id": customer.pk, "since": since, "step": step, "zone": customer.time_zone},
        )
        return [Movement(starts_at, int(net), int(used)) for starts_at, net, used in cursor.fetchall()]


def used_since(customer: Customer, since: datetime) -> int:
    """Microcredits that usage took since an instant, wherever they were paid from."""
    entries = LedgerEntry.objects.filter(customer_id=customer.pk, effective_at__gte=since, event_digest__isnull=False)
    return -(entries.aggregate(sum=Sum("amount_microcredits"))["sum"] or 0)
