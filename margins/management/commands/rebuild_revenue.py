"""manage.py rebuild_revenue [--check] [--customer KEY]: the revenue rollups are what the ledgers earned."""

import sys
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from margins.queries.recount import Difference, differences
from margins.services.revenue import add_revenue, rebuild_revenue
from metering.customers import customer_id_of, keys_of
from metering.snapshot import snapshot

_SHOWN: Final = 50
DIFFERENCES: Final = 1
REFUSED: Final = 2


class Command(BaseCommand):
    help = (
        "Add up what ledgers have earned, recount it from their first entries, and put right what differs, customer by "
        "customer, each in one transaction. Exit codes: 0 nothing differs or all is put right; 1 for --check when "
        "something differs; 2 when the request makes no sense."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Only say what differs.")
        parser.add_argument("--customer", metavar="KEY", help="Only this customer.")

    def handle(self, *args: Any, **options: Any) -> None:
        customer_id = None
        if options["customer"] is not None:
            customer_id = customer_id_of(options["customer"])
            if customer_id is None:
                raise CommandError(f"No customer has the key {options['customer']!r}.", returncode=REFUSED)
        wrong: set[int] = set()
        found = 0
        with snapshot():
            for difference in differences(customer_id):
                found += 1
                wrong.add(difference.customer_id)
                self._show(difference, found)
        if options["check"]:
            if found:
                self.stdout.write(
                    self.style.ERROR(f"{found:,} rows of {len(wrong):,} customers are not what was earned.")
                )
                sys.exit(DIFFERENCES)
            self.stdout.write("Every rollup of revenue is what the ledgers earned.")
            return
        for each in sorted(wrong):
            rebuild_revenue(each)
        added = add_revenue(None if customer_id is None else [customer_id])
        self.stdout.write(
            self.style.SUCCESS(f"Put right {found:,} rows of {len(wrong):,} customers; added up {added:,}.")
        )

    def _show(self, difference: Difference, number: int) -> None:
        if number <= _SHOWN:
            key = keys_of([difference.customer_id]).get(difference.customer_id, f"#{difference.customer_id}")
            self.stdout.write(f"{key}: {difference}")
        elif number == _SHOWN + 1:
            self.stdout.write("…")
