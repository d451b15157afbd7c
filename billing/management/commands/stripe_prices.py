"""manage.py stripe_prices diff | apply: products and prices at Stripe, from the published catalogue."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.prices.applying import apply
from billing.prices.changes import changes
from billing.stripe.errors import StripeError
from kernel.clock import utc_now
from kernel.errors import Problem


class Command(BaseCommand):
    help = "Make the products and prices that published plans need at Stripe, once; diff shows them first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["diff", "apply"])
        parser.add_argument("--exit-code", action="store_true", help="diff: exit with 1 when something is missing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            these = changes()
            for change in these:
                self.stdout.write(change.what)
            if not these:
                self.stdout.write("Stripe has it all.")
            elif options["action"] == "apply":
                apply(these, utc_now())
                self.stdout.write(f"{len(these)} done.")
            elif options["exit_code"]:
                raise SystemExit(1)
        except (Problem, StripeError) as error:
            raise CommandError(str(error)) from error
