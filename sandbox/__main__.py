"""``python -m sandbox``: start a sandbox, say where it is, and serve until told to stop."""

import argparse
import os
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from sandbox import API_VERSION, timeline
from sandbox.courier import Manners
from sandbox.house import House, Options
from sandbox.server import Server
from sandbox.specification import WHERE, Specification


class _ToldToStop(BaseException):
    """SIGINT or SIGTERM. No Exception: a server thinks of those that they are a request's, and goes on."""


def main(arguments: list[str]) -> int:
    asked = _parser().parse_args(arguments)
    secret = asked.webhook_secret or os.environ.get("STRIPE_WEBHOOK_SECRET")
    if asked.webhook_url and not (secret or "").startswith("whsec_"):
        sys.stderr.write("--webhook-secret (or STRIPE_WEBHOOK_SECRET) must begin with whsec_\n")
        return 2
    specification = Specification.load(asked.spec)
    try:
        server = Server(asked.port)
    except OSError as problem:
        sys.stderr.write(f"Port {asked.port} cannot be used: {problem.strerror}\n")
        return 1
    server.house = House(_options(asked, server.url, secret), specification)
    server.house.courier.start()
    stopped = threading.Event()
    threading.Thread(target=_let_time_pass, args=(server.house, stopped), daemon=True).start()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, _stop)
    _announce(server, specification)
    try:
        server.serve_forever(poll_interval=0.1)
    except _ToldToStop:
        pass
    finally:
        stopped.set()
        server.house.courier.stop()
        server.server_close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="A stand-in for Stripe. No real money moves."
    )
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes a free one and prints it")
    parser.add_argument("--state", default=":memory:", help="a file that keeps everything over restarts, or :memory:")
    parser.add_argument("--webhook-url", help="where events are posted")
    parser.add_argument("--webhook-secret", help="what they are signed with: whsec_... (or STRIPE_WEBHOOK_SECRET)")
    parser.add_argument("--seed", help="makes ids, and the courier's and faults' dice, the same in every run")
    parser.add_argument("--start", type=_instant, help="stop the clock at this instant (2026-11-01T00:00:00Z)")
    parser.add_argument("--spec", type=Path, default=WHERE, help="Stripe's OpenAPI document, spec3.json.gz")
    parser.add_argument("--check-answers", action="store_true", help="hold the sandbox's own answers to it as well")
    chaos = parser.add_argument_group("chaos", "how webhooks travel; shares from 0 to 1")
    chaos.add_argument("--drop", type=float, default=0.0)
    chaos.add_argument("--duplicate", type=float, default=0.0)
    chaos.add_argument("--delay", type=float, default=0.0, help="seconds, at most")
    chaos.add_argument("--shuffle", action="store_true")
    return parser


def _options(asked: argparse.Namespace, base_url: str, secret: str | None) -> Options:
    manners = Manners(
        drop=asked.drop,
        duplicate=asked.duplicate,
        delay_seconds=asked.delay,
        shuffle=asked.shuffle,
        seed=asked.seed or "courier",
    )
    return Options(
        state=asked.state,
        base_url=base_url,
        webhook_url=asked.webhook_url,
        webhook_secret=secret,
        webhook_host=urlsplit(asked.webhook_url).hostname if asked.webhook_url else None,
        seed=asked.seed,
        start=asked.start,
        checks_answers=asked.check_answers,
        manners=manners,
    )


def _instant(text: str) -> int:
    return int(text) if text.isdigit() else int(datetime.fromisoformat(text).timestamp())


def _announce(server: Server, specification: Specification | None) -> None:
    """Say where it is, on a line of its own, then what it is."""
    checked = (
        f"Requests are checked against Stripe's {specification.version}."
        if specification
        else "Requests are NOT checked: Stripe's specification is not here."
    )
    sys.stdout.write(f"ready: {server.url}\nSANDBOX for {API_VERSION}. No real money moves. {checked}\n")
    sys.stdout.flush()


def _let_time_pass(house: House, stopped: threading.Event) -> None:
    while not stopped.wait(1.0):
        timeline.catch_up(house.world)


def _stop(_sign: int, _frame: FrameType | None) -> None:
    raise _ToldToStop


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
