"""manage.py rebuild_rollups [--check] [--customer KEY] [--month YYYY-MM]: rollups are what their events add up to."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from metering.customers import customer_id_of, keys_of
from metering.rollups import Difference, differences, repair
from metering.snapshot import snapshot

_SHOWN: Final = 50
DIFFERENCES: Final = 1
REFUSED: Final = 2


class Command(BaseCommand):
    help = (
        "Recount the daily and monthly rollups from live and archived events, and put right what differs, customer by "
        "customer, each in one transaction. Exit codes: 0 nothing differs or all is put right; 1 for --check when "
        "something differs; 2 when the request makes no sense."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Only say what differs.")
        parser.add_argument("--customer", metavar="KEY", help="Only this customer.")
        parser.add_argument("--month", metavar="YYYY-MM", type=_month, help="Only this calendar month (UTC).")

    def handle(self, *args: Any, **options: Any) -> None:
        customer_id = None
        if options["customer"] is not None:
            customer_id = customer_id_of(options["customer"])
            if customer_id is None:
                raise CommandError(f"No customer has the key {options['customer']!r}.", returncode=REFUSED)
        wrong: set[int] = set()
        found = 0
        with snapshot():
            for difference in differences(customer_id=customer_id, month=options["month"]):
                found += 1
                wrong.add(difference.key["customer_id"])
                if options["check"]:
                    self._show(difference, found)
        if options["check"]:
            self._end_check(found, len(wrong))
            return
        repaired = 0
        for each in sorted(wrong):
            for difference in repair(each, month=options["month"]):
                repaired += 1
                self._show(difference, repaired)
        self.stdout.write(
            self.style.SUCCESS(f"Put right {_rows(repaired)} of {_customers(len(wrong))}.")
            if repaired
            else "Every rollup is what its events add up to: nothing was changed."
        )

    def _show(self, difference: Difference, number: int) -> None:
        if number <= _SHOWN:
            customer_id = difference.key["customer_id"]
            key = keys_of([customer_id]).get(customer_id, f"#{customer_id}")
            self.stdout.write(f"{key}: {difference}")
        elif number == _SHOWN + 1:
            self.stdout.write("…")

    def _end_check(self, found: int, customers: int) -> None:
        if found:
            self.stdout.write(
                self.style.ERROR(f"{_rows(found)} of {_customers(customers)} are not what their events add up to.")
            )
            sys.exit(DIFFERENCES)
        self.stdout.write("Every rollup is what its events add up to.")


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a month such as 2026-11") from None


def _rows(count: int) -> str:
    return "1 rollup row" if count == 1 else f"{count:,} rollup rows"


def _customers(count: int) -> str:
    return "1 customer" if count == 1 else f"{count:,} customers"
