"""`manage.py reconcile_stripe`: find what is not in line with Stripe, say it, and put it right."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.convergence.sweep import sweep
from billing.stripe.errors import StripeUnavailable
from kernel.clock import utc_now
from kernel.errors import Problem


class Command(BaseCommand):
    """Ends with 1 if something is not in line and was not put right."""

    help = "Compare what we know of payments with Stripe's own lists, and repair what differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only report; change nothing")
        parser.add_argument("--days", type=int, help="look at every payment of so many days, not only at what is open")

    def handle(self, *args: Any, **options: Any) -> None:
        now = utc_now()
        since = now - timedelta(days=options["days"]) if options["days"] else None
        found = left = 0
        try:
            for finding in sweep(now, repair=not options["check"], since=since):
                found += 1
                left += not finding.repaired
                self.stdout.write(f"{'repaired' if finding.repaired else 'NOT IN LINE'}: {finding.what}")
        except (StripeUnavailable, Problem) as problem:
            raise CommandError(f"{problem}") from problem
        self.stdout.write(f"{found} found, {found - left} repaired, {left} left" if found else "all in line")
        if left:
            raise SystemExit(1)
