"""manage.py audit_ledger [--customer KEY] [--rebuild] [--json]: what is promised, proven on the live database."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from time import perf_counter
from typing import Any, Final

import msgspec
from django.core.management.base import BaseCommand, CommandError

from entitlements.audit import Check, Fault, Outcome, audit
from entitlements.audit.rebuilding import rebuild_stored
from entitlements.models import Customer
from kernel.clock import format_instant, utc_now
from metering.snapshot import snapshot

FOUND: Final = 1
REFUSED: Final = 2

_REBUILD: Final = Check("ledgers_rebuild", "replayed in their order, entries give the same balances", "ledgers", "")


class Command(BaseCommand):
    help = (
        "Prove on one consistent, read-only snapshot that ledger, balances, grants, holds, limits, runs, usage and "
        "rollups are as promised, while calls go on. Exit codes: 0 all is; 1 something is not; 2 no such customer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customer", metavar="KEY", help="Only this customer; its ledger is also replayed.")
        parser.add_argument("--rebuild", action="store_true", help="Replay every customer's ledger, entry by entry.")
        parser.add_argument("--show", metavar="N", type=int, default=5, help="How many findings to name per check.")
        parser.add_argument("--json", action="store_true", help="One JSON document instead of a line per check.")

    def handle(self, *args: Any, **options: Any) -> None:
        customer = None if options["customer"] is None else _customer(options["customer"])
        as_json, show, as_of = options["json"], options["show"], utc_now()
        with snapshot():
            outcomes = audit(
                customer_id=customer.pk if customer else None, show=show, told=None if as_json else self._tell
            )
            if customer is not None or options["rebuild"]:
                rebuilt = _rebuild([customer] if customer else Customer.objects.order_by("pk").iterator(), show)
                outcomes.append(rebuilt)
                if not as_json:
                    self._tell(rebuilt)
        found = sum(outcome.found for outcome in outcomes)
        if as_json:
            report = {"as_of": format_instant(as_of), "customer": options["customer"], "found": found}
            checks = [_as_json(outcome) for outcome in outcomes]
            self.stdout.write(msgspec.json.format(msgspec.json.encode(report | {"checks": checks}), indent=2).decode())
        else:
            self._sum_up(outcomes, found)
        if found:
            sys.exit(FOUND)

    def _tell(self, outcome: Outcome) -> None:
        check = outcome.check
        verdict = self.style.ERROR(f"{outcome.found:,} FOUND") if outcome.found else self.style.SUCCESS("ok")
        self.stdout.write(f"{check.name}: {check.promise}: {outcome.examined:,} {check.rows}, {verdict}")
        for fault in outcome.faults:
            self.stdout.write(f"    {fault.customer + ': ' if fault.customer else ''}{fault.what}")
        if outcome.found > len(outcome.faults):
            self.stdout.write(f"    … and {outcome.found - len(outcome.faults):,} more")

    def _sum_up(self, outcomes: list[Outcome], found: int) -> None:
        rows = sum(outcome.examined for outcome in outcomes)
        broken = sum(outcome.found > 0 for outcome in outcomes)
        said = f"{len(outcomes)} checks of {rows:,} rows: "
        if found:
            self.stdout.write(self.style.ERROR(f"{said}{broken} found something, {found:,} in all."))
        else:
            self.stdout.write(self.style.SUCCESS(f"{said}every promise holds."))


def _rebuild(customers: Iterable[Customer], show: int) -> Outcome:
    started = perf_counter()
    examined, found = 0, 0
    faults: list[Fault] = []
    for customer in customers:
        examined += 1
        _, parted = rebuild_stored(customer.pk)
        found += len(parted)
        faults += [Fault(customer.key, what) for what in parted[: show - len(faults)]]
    return Outcome(_REBUILD, examined, found, tuple(faults), perf_counter() - started)


def _customer(key: str) -> Customer:
    customer = Customer.objects.filter(key=key).first()
    if customer is None:
        raise CommandError(f"No customer has the key {key!r}.", returncode=REFUSED)
    return customer


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.check.name,
        "promise": outcome.check.promise,
        "rows": outcome.check.rows,
        "examined": outcome.examined,
        "found": outcome.found,
        "faults": outcome.faults,
        "seconds": round(outcome.seconds, 3),
    }
