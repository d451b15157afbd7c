"""Many customers with a past: one lives it through the services, and set-based SQL makes the others like it.

`python -m bench.population N` fills the empty database DATABASE_URL names and prints a fresh API key.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta

from config import embedded_postgres
from kernel.sql_files import ROOT, sql_file

FIRST = "c0000000"
PAST_EVENTS = 9
"""Usage events per customer. With the grant of the allowance each has ten ledger entries."""


def populate(customers: int) -> None:
    """Give an empty, migrated database this many customers, alike in all but their names."""
    from django.db import connection, transaction

    with transaction.atomic():
        _first_customer()
        with connection.cursor() as cursor:
            cursor.execute(sql_file("bench", "others"), {"others": customers - 1})
            cursor.execute(sql_file("bench", "subscriptions"))
            cursor.execute(sql_file("bench", "twins"), {"first": FIRST})
            grants = list(_grants())
            with cursor.copy("COPY twin_grant FROM STDIN") as copy:  # psycopg's own; Django hands it through
                for row in grants:
                    copy.write_row(row)
            cursor.execute("ANALYZE twin, twin_grant")
            for table, changed, order in _COPIED:
                cursor.execute(_copying(table, changed, order))
            cursor.execute(_balances())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def _first_customer() -> None:
    from entitlements.core.record import UsageFact
    from entitlements.services.customers import upsert_customer
    from entitlements.services.subscriptions import subscribe
    from entitlements.services.usage import record_many
    from kernel.clock import utc_now
    from kernel.ids import body_digest, key_digest
    from kernel.usage import Usage
    from plans.catalogue_file.applying import apply_catalogue
    from plans.models import PlanVersion

    now = utc_now()
    joined = now - timedelta(days=2)
    apply_catalogue((ROOT / "bench" / "catalogue.yaml").read_text(), publish=True, now=joined)
    upsert_customer(FIRST, {"name": "Bench"}, joined)
    subscribe(FIRST, PlanVersion.objects.get(plan__key="bench"), joined)
    facts = [
        UsageFact(
            key=f"past.{number}",
            key_digest=key_digest(f"past.{number}"),
            body_digest=body_digest(number),
            feature="chat",
            action="",
            user_key="",
            run_key="",
            tags=None,
            provider="openai",
            model="gpt-4o-mini",
            processing="",
            region="",
            memoised=False,
            usage=Usage(input_tokens=1180, cache_read_tokens=512, output_tokens=212),
            stated_microcredits=None,
            reported_cost_nanousd=None,
            occurred_at=joined + timedelta(hours=5 * number),
        )
        for number in range(PAST_EVENTS)
    ]
    record_many([(FIRST, fact) for fact in facts], now)


def _grants() -> Iterator[tuple[int, str, str, str]]:
    """Each twin's allowance, named as the services name it."""
    from django.db import connection

    from entitlements.core.timeline import grant_id
    from kernel.ids import key_digest

    with connection.cursor() as cursor:
        cursor.execute("SELECT key, subscription_id FROM credit_grant")
        ((model, model_subscription),) = cursor.fetchall()
        cursor.execute("SELECT customer_id, subscription_id FROM twin")
        for customer, subscription in cursor.fetchall():
            key = model.replace(f":{model_subscription}:", f":{subscription}:")
            yield customer, str(grant_id(customer, key)), key, str(key_digest(key))


_COPIED: tuple[tuple[str, Mapping[str, str], str], ...] = (
    (
        "credit_grant",
        {"id": "g.id", "key": "g.key", "key_digest": "g.key_digest", "subscription_id": "w.subscription_id"},
        "w.customer_id",
    ),
    ("usage_event", {}, "m.occurred_at, w.customer_id"),
    ("ledger_entry", {"grant_id": "g.id"}, "m.seq, w.customer_id"),
    ("usage_day", {}, "m.day, w.customer_id"),
    ("usage_month", {}, "m.month, w.customer_id"),
    ("limit_counter", {}, "w.customer_id"),
)
"""What to copy, which columns are the twin's own, and in which order: the past happened to all at the same time."""


def _copying(table: str, changed: Mapping[str, str], order: str) -> str:
    own = {"customer_id": "w.customer_id", **changed}
    columns = _columns(table)
    values = ", ".join(own.get(column, f"m.{column}") for column in columns)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} m "
        f"JOIN model USING (customer_id) CROSS JOIN twin w JOIN twin_grant g ON g.customer_id = w.customer_id "
        f"ORDER BY {order}"
    )


def _balances() -> str:
    columns = [column for column in _columns("balance") if column not in {"customer_id", "subscription_id"}]
    moved = ", ".join(f"{column} = m.{column}" for column in columns)
    return (
        f"UPDATE balance b SET subscription_id = w.subscription_id, {moved} "
        f"FROM balance m JOIN model USING (customer_id), twin w WHERE b.customer_id = w.customer_id"
    )


def _columns(table: str) -> list[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, table)]


def main(customers: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    embedded_postgres.database_url()
    import django

    django.setup()

    from django.core.management import call_command

    from access.services.api_keys import create_key
    from entitlements.models import Customer
    from kernel.clock import utc_now

    call_command("migrate", verbosity=0)
    if not Customer.objects.exists():
        populate(customers)
    print(create_key("bench", ["check", "usage"], utc_now())[1])


if __name__ == "__main__":
    main(int(sys.argv[1]))
