"""`manage.py seed_demo`: a demo company with a past, in an empty database."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from demo.access import holds_the_demo, issue_credentials
from demo.company import company
from demo.credentials import read_credentials
from demo.margin_table import print_margins
from demo.progress import progress
from demo.seeding import NotEmpty, seed
from demo.welcome import write_welcome
from entitlements.models import Customer
from kernel.clock import utc_now


class Command(BaseCommand):
    help = (
        "Fill an empty database with a demo company: customers on every plan and their usage of the last days, lived "
        "through the same services as a real one's. Whole or not at all. Writes demo-credentials.json and welcome.txt "
        "into DATA_DIR."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing, quietly, if there are customers")
        parser.add_argument("--customers", type=int, default=40)
        parser.add_argument("--days", type=int, default=30)
        parser.add_argument("--events", type=int, default=40_000)
        parser.add_argument("--seed", type=int, default=1, help="another number is another company")

    def handle(self, *args: Any, **options: Any) -> None:
        _check(options)
        folder, now = Path(settings.DATA_DIR), utc_now().replace(microsecond=0)
        if Customer.objects.exists():
            self._keep(folder, if_empty=options["if_empty"])
            return
        sizes = {name: options[name] for name in ("customers", "days", "events", "seed")}
        made = company(now, **sizes)

        def let_in() -> None:
            write_welcome(folder, issue_credentials(folder, now).api_key)

        try:
            with progress("inventing a demo company", len(made.calls)) as progressed:
                seed(made, progressed, also=let_in)
        except NotEmpty:
            self._keep(folder, if_empty=options["if_empty"])
            return
        console = Console()
        if not console.is_terminal:
            console.width = 100  # a log has no width to fit into, and a name cut short helps nobody
        print_margins(console, made.start, now)

    def _keep(self, folder: Path, *, if_empty: bool) -> None:
        """Leave what is there alone; but without credentials nobody could look at it."""
        if not if_empty:
            raise CommandError("there are customers here already; the demo company needs an empty database")
        if read_credentials(folder) is None and holds_the_demo():
            write_welcome(folder, issue_credentials(folder, utc_now()).api_key)


def _check(options: dict[str, Any]) -> None:
    for name, most in (("customers", 2_000), ("days", 366), ("events", 5_000_000)):
        if not 1 <= options[name] <= most:
            raise CommandError(f"--{name} must be from 1 to {most}")
