"""manage.py audit_plan PLAN[@VERSION]: what a plan can cost, and what speaks against selling it."""

import sys
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from kernel.clock import utc_now
from kernel.errors import Problem
from margins.plan_audit.loading import audit_version, find_version, read_reference
from margins.plan_audit.report import lines_of
from plans.auditing import blocking

BLOCKED: Final = 1
REFUSED: Final = 2


class Command(BaseCommand):
    help = (
        "Print what a plan version can cost at its own limits, half-way and heavy, and the findings of its audit. "
        "Without a version: its draft, else what is on sale. Exit codes: 0; 1 for --exit-code when a finding blocks; 2 "
        "when there is no such plan."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", help="The plan's key, with its version's number after @: pro@3.")
        parser.add_argument("--exit-code", action="store_true", help="Exit with 1 when a finding blocks.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = find_version(*read_reference(options["plan"]))
        except Problem as refusal:
            raise CommandError(refusal.detail, returncode=REFUSED) from None
        audit = audit_version(version, now=utc_now())
        paint = {"blocking": self.style.ERROR, "warning": self.style.WARNING, "info": self.style.HTTP_INFO}
        for severity, line in lines_of(audit):
            self.stdout.write(line if severity is None else paint[severity](line))
        if options["exit_code"] and blocking(audit.findings):
            sys.exit(BLOCKED)
