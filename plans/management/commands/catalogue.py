"""manage.py catalogue diff|apply|export: what is sold, as a file. Form and rules: docs/adr/0003-catalogue.md."""

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from kernel.clock import utc_now
from plans.auditing import Acknowledged
from plans.catalogue_file.applying import apply_catalogue, pending_changes, pending_findings
from plans.catalogue_file.changes import Change
from plans.catalogue_file.problems import CatalogueFileInvalid, CatalogueRefused
from plans.catalogue_file.stored import read_stored
from plans.catalogue_file.writing import write_catalogue

DIFFERENCES: Final = 1
REFUSED: Final = 2


class Command(BaseCommand):
    help = (
        "Compare the catalogue with a YAML file, make it what the file says, or write it as one. Exit codes: 0 done or "
        "nothing to do; 1 for diff --exit-code when there are differences; 2 when the file is invalid or refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        diff = actions.add_parser("diff", help="Show what applying the file would change.")
        diff.add_argument("file", help="The file; - is standard input.")
        diff.add_argument("--publish", action="store_true", help="As applying with --publish would.")
        diff.add_argument("--exit-code", action="store_true", help="Exit with 1 when there are differences.")
        apply = actions.add_parser("apply", help="Show the changes, then make them: all of them or none.")
        apply.add_argument("file", help="The file; - is standard input.")
        apply.add_argument("--publish", action="store_true", help="Publish what changed instead of leaving drafts.")
        apply.add_argument(
            "--acknowledge", metavar="WHY", help="Publish plans although they can lose money; why is kept with each."
        )
        apply.add_argument("--by", metavar="WHO", help="Who acknowledges; the user of the shell if left out.")
        apply.add_argument("--yes", action="store_true", help="Do not ask, even on a terminal.")
        export = actions.add_parser("export", help="Write the catalogue as a file.")
        export.add_argument("file", nargs="?", default="-", help="The file; - (the default) is standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["action"])(options)
        except (CatalogueFileInvalid, CatalogueRefused) as refusal:
            said = "\n".join(f"  {fault}" for fault in refusal.faults)
            raise CommandError(f"{refusal.title}:\n{said}", returncode=REFUSED) from None

    def diff(self, options: dict[str, Any]) -> None:
        text = _read(options["file"])
        changes, beside = pending_changes(text, publish=options["publish"])
        self._show(changes, beside, text if options["publish"] else None)
        if changes and options["exit_code"]:
            sys.exit(DIFFERENCES)

    def apply(self, options: dict[str, Any]) -> None:
        text, publish = _read(options["file"]), options["publish"]
        changes, beside = pending_changes(text, publish=publish)
        self._show(changes, beside, text if publish else None)
        if not changes:
            return
        may_ask = options["file"] != "-" and sys.stdin.isatty() and not options["yes"]
        if may_ask and input("Make these changes? [y/N] ").strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was changed.", returncode=REFUSED)
        acknowledged = (
            Acknowledged(options["by"] or _user(), options["acknowledge"]) if options["acknowledge"] else None
        )
        apply_catalogue(text, publish=publish, now=utc_now(), expected=changes, acknowledged=acknowledged)
        self.stdout.write(self.style.SUCCESS(f"Made {_counted(changes)}."))

    def export(self, options: dict[str, Any]) -> None:
        text = write_catalogue(read_stored().spec)
        if options["file"] == "-":
            self.stdout.write(text, ending="")
            return
        try:
            Path(options["file"]).write_text(text)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}", returncode=REFUSED) from None

    def _show_findings(self, text: str) -> None:
        """What the audit says of the plans that would be published."""
        paint = {"blocking": self.style.ERROR, "warning": self.style.WARNING, "info": self.style.HTTP_INFO}
        for change, findings in pending_findings(text, now=utc_now()):
            for finding in findings:
                self.stdout.write(
                    paint[finding.severity](f"! {change.title} {finding.severity} {finding.code}: {finding.detail}")
                )
                self.stdout.write(f"    {finding.remedy}")

    def _show(self, changes: list[Change], beside: list[str], to_publish: str | None) -> None:
        paint = {
            "+": self.style.SUCCESS,
            "~": self.style.WARNING,
            "-": self.style.ERROR,
            "^": self.style.HTTP_INFO,
        }
        for change in changes:
            published = " (publish)" if change.sign == "^" else ""
            self.stdout.write(paint[change.sign](f"{change.sign} {change.title}{published}"))
            for line in change.lines:
                self.stdout.write(paint[line.sign](f"    {line.sign} {line.text}"))
        if to_publish is not None:
            self._show_findings(to_publish)
        if beside:
            self.stdout.write(f"Not in the file, left as they are: {', '.join(beside)}")
        self.stdout.write(f"{_counted(changes)} to make." if changes else "The catalogue is as the file says.")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "command line"


def _counted(changes: list[Change]) -> str:
    return "1 change" if len(changes) == 1 else f"{len(changes)} changes"


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file}: {getattr(error, 'strerror', None) or error}", returncode=REFUSED) from None
