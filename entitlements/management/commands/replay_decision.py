"""``manage.py replay_decision decision_1_…``: decide a recorded decision again and say what differs."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from entitlements.services.decisions import DecisionUnknown, replay
from kernel.ids import parse_public_id


class Command(BaseCommand):
    help = "Decide a recorded decision again from its inputs; exits 1 when the answer differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("decision", help="a check answer's decision_id")

    def handle(self, *args: Any, decision: str, **options: Any) -> None:
        named = parse_public_id("decision", decision)
        if named is None:
            raise CommandError(f"{decision!r} is not a decision id such as decision_1_0192…")
        try:
            outcome = replay(*named)
        except DecisionUnknown as unknown:
            raise CommandError(unknown.detail) from None
        self.stdout.write(json.dumps(outcome.recorded, indent=2))
        if outcome.recorded_revision != outcome.revision_now:
            self.stdout.write(
                f"decided on catalogue revision {outcome.recorded_revision}; it is {outcome.revision_now} now"
            )
        if outcome.differences:
            raise CommandError("the answer differs now:\n  " + "\n  ".join(outcome.differences))
        self.stdout.write(self.style.SUCCESS("the same inputs give the same answer"))
