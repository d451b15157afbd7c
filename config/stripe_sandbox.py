"""The stand-in for Stripe that `make run` starts when there is no key: so that a first visitor can buy something.

It is a program beside this one (`python -m sandbox`), started by its name and spoken to like Stripe. SANDBOX_PORT
chooses its port; 0 is any that is free.
"""

import os
import secrets
import socket
from importlib.util import find_spec
from pathlib import Path

HOST = "127.0.0.1"
USUAL_PORT = 12111
KEY = "sk_test_of_the_sandbox"
"""The sandbox takes every test-mode key; this one says in every log whose it is."""


def point_at_it(data: Path, service_port: int) -> str | None:
    """Choose where the sandbox will be and put it into the environment of everything started from now on.

    Returns its address; None where a key says that Stripe itself is meant, or this installation has no sandbox.
    """
    if os.environ.get("STRIPE_SECRET_KEY") or find_spec("sandbox") is None:
        return None
    port = _port(service_port)
    address = f"http://{HOST}:{port}"
    os.environ |= {
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_API_BASE": address,
        "STRIPE_WEBHOOK_SECRET": _secret(data / "stripe-sandbox.secret"),
        "SANDBOX_PORT": str(port),
    }
    return address


def arguments(data: Path, service_port: str) -> list[str]:
    """How Python is told to run it. Its webhooks' secret is in the environment already."""
    state = ["--state", str(data / "stripe-sandbox.sqlite")]
    webhooks = ["--webhook-url", f"http://{HOST}:{service_port}/webhooks/stripe"]
    return ["-m", "sandbox", "--port", os.environ.get("SANDBOX_PORT") or str(USUAL_PORT), *state, *webhooks]


def _port(service_port: int) -> int:
    asked = os.environ.get("SANDBOX_PORT")
    wanted = [int(asked)] if asked and asked.isdigit() else [USUAL_PORT, service_port + 1]
    for port in [*wanted, 0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except (OSError, OverflowError):
                continue
            return int(probe.getsockname()[1])
    raise AssertionError("not a single port is free")


def _secret(path: Path) -> str:
    """What its webhooks are signed with: made once, kept for as long as what it remembers."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"whsec_{secrets.token_hex(24)}")
    return path.read_text().strip()
