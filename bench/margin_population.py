"""Customers with a month of usage behind them, by set-based SQL: what the margin lines are measured on.

`python -m bench.margin_population CUSTOMERS EVENTS_EACH` fills the empty database DATABASE_URL names.
"""

import os
import sys
from datetime import UTC, datetime, timedelta

from config import embedded_postgres
from kernel.sql_files import ROOT, sql_file

_SPAN = 250
"""Customers filled in one transaction."""

_STEPS = ("grants", "events", "ledger", "balances", "days", "months")


def month() -> tuple[datetime, datetime]:
    """The last whole calendar month: what is measured."""
    this_month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (this_month - timedelta(days=1)).replace(day=1), this_month


def populate(customers: int, events: int) -> None:
    """Give an empty, migrated database this many customers with so many events each in the last whole month."""
    from django.db import connection, transaction

    from margins.services.revenue import add_revenue
    from plans.catalogue_file.applying import apply_catalogue

    start, end = month()
    apply_catalogue((ROOT / "bench" / "margins.yaml").read_text(), publish=True, now=start)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(sql_file("bench", "margin_customers"), {"start": start, "customers": customers})
        cursor.execute("SELECT min(id), max(id) FROM customer")
        first, last = cursor.fetchone()
        for at in range(first, last + 1, _SPAN):
            span = {"first": at, "last": min(at + _SPAN - 1, last), "start": start, "end": end, "events": events}
            with transaction.atomic():
                for step in _STEPS:
                    cursor.execute(sql_file("bench", f"margin_{step}"), span)
    add_revenue()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def main(customers: int, events: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    embedded_postgres.database_url()
    import django

    django.setup()

    from django.core.management import call_command

    from entitlements.models import Customer

    call_command("migrate", verbosity=0)
    if not Customer.objects.exists():
        populate(customers, events)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
