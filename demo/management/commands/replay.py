"""`manage.py replay FILE`: send a published trace through the HTTP API and say what it came to."""

import asyncio
import itertools
import logging
import os
import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from demo.credentials import read_credentials
from demo.progress import progress
from demo.replay import Labels, ReplayFailed, Settings, Tally, replay
from demo.traces import TraceRow, TraceUnreadable, read_trace
from kernel.clock import BadInstant, parse_instant
from kernel.units import format_credits, format_usd


class Command(BaseCommand):
    help = (
        "Send a trace of real LLM traffic (Azure or Mooncake, told apart by their header) through the HTTP API. "
        "Rows are keyed by file name and row number and keep the trace's own times, so sending them again adds nothing."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the service is (%(default)s)")
        parser.add_argument("--key", help="API key; else WEIR_API_KEY, else the demo company's")
        parser.add_argument("--customer", default="trace-lab", help="whose calls they are (%(default)s)")
        parser.add_argument("--feature", default="chat", help="(%(default)s)")
        parser.add_argument("--model", default="gpt-4o-mini", help="(%(default)s)")
        parser.add_argument("--provider", default="openai", help="(%(default)s)")
        parser.add_argument(
            "--speed", type=_speed, help="1 is as it happened, 60 an hour in a minute, or max (default)"
        )
        parser.add_argument("--limit", type=_up_to(2**31), help="send only the first so many rows")
        parser.add_argument("--batch", type=_up_to(10_000), default=500, help="most rows in a request (%(default)s)")
        parser.add_argument("--concurrency", type=_up_to(64), default=4, help="requests at a time (%(default)s)")
        parser.add_argument("--start", type=_instant, help="move the trace to start here, e.g. 2026-11-15T12:00:00Z")

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request would drown the report
        path: Path = options["file"]
        settings = Settings(
            url=options["url"],
            api_key=_api_key(options["key"]),
            name=path.stem,
            labels=Labels(options["customer"], options["feature"], options["model"], options["provider"]),
            start=options["start"],
            speed=options["speed"],
            batch=options["batch"],
            concurrency=options["concurrency"],
        )
        tally, began = Tally(), time.monotonic()
        problem: str | None = None
        try:
            rows = _opened(path, options["limit"])
            with progress(path.name, _count_rows(path, options["limit"])) as progressed:
                asyncio.run(replay(rows, settings, tally, progressed))
        except (ReplayFailed, TraceUnreadable) as error:
            problem = str(error)
        except KeyboardInterrupt:
            problem = "stopped; sending the trace again goes on where this ended"
        if tally.answered or problem is None:
            self._report(tally, time.monotonic() - began)
        if problem is not None:
            raise CommandError(problem)

    def _report(self, tally: Tally, seconds: float) -> None:
        lines = [
            f"accepted: {tally.accepted}",
            f"duplicates: {tally.duplicates}",
            f"rejected: {tally.rejected}",
            *(f"  {count} × {reason}" for reason, count in tally.reasons.most_common()),
            f"credits: {format_credits(tally.microcredits)}",
            f"cost: {format_usd(tally.cost_nanousd)} USD",
        ]
        if tally.duplicates:
            known = f"{format_credits(tally.known_microcredits)} credits, {format_usd(tally.known_cost_nanousd)} USD"
            lines.append(f"counted before: {known}")
        if tally.unrated or tally.unpriced:
            lines.append(f"without a rate: {tally.unrated}, without a price: {tally.unpriced}")
        lines.append(f"elapsed: {seconds:.1f} s, {tally.answered / max(seconds, 1e-9):,.0f} events/s")
        self.stdout.write("\n".join(lines))


def _api_key(given: str | None) -> str:
    key = given or os.environ.get("WEIR_API_KEY")
    if key is None:
        demo = read_credentials(Path(django_settings.DATA_DIR))
        if demo is None:
            raise CommandError("no API key: give --key, set WEIR_API_KEY, or make a demo company with `make run`")
        key = demo.api_key
    if not key.isascii() or not key.isprintable():
        raise CommandError("the API key has characters that no key has")
    return key


def _opened(path: Path, limit: int | None) -> Iterator[TraceRow]:
    """The rows to send. Raises TraceUnreadable at once if the file is not a trace at all."""
    rows = itertools.islice(read_trace(path), limit)
    return itertools.chain(list(itertools.islice(rows, 1)), rows)


def _count_rows(path: Path, limit: int | None) -> int | None:
    """For the bar only: how many rows the file seems to have."""
    try:
        with path.open("rb") as file:
            rows = sum(1 for line in file if line.strip()) - 1
    except OSError:
        return None
    return rows if limit is None else min(rows, limit)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise ArgumentTypeError(f"{text!r} is neither max nor a factor such as 1 or 60")
    return speed


def _up_to(most: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
            raise ArgumentTypeError(f"{text!r} is not a whole number from 1 to {most}")
        return int(text)

    return whole


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except BadInstant as error:
        raise ArgumentTypeError(str(error)) from None
