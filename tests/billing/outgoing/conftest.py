"""A product that listens: a server on loopback, and what it heard."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from standardwebhooks import Webhook

from billing.models import WebhookEndpoint
from billing.outgoing.endpoints import create_endpoint
from entitlements.services.outbox import tell
from tests.world import Actor


class Heard:
    """One request, as it came."""

    def __init__(self, path: str, headers: dict[str, str], body: str) -> None:
        self.path, self.headers, self.body = path, headers, body

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read

    def verified_with(self, secret: str) -> dict[str, Any]:
        """What the library of Standard Webhooks makes of it. Raises WebhookVerificationError."""
        read: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return read


class Listener:
    """Answers each request with the next of `answers`, and 204 when there are no more; an event is waited for."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: list[int | Event | tuple[int, dict[str, str], bytes]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                listener.heard.append(Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                answer = listener.answers.pop(0) if listener.answers else 204
                if isinstance(answer, Event):
                    answer.wait(10)
                    return
                status, headers, text = answer if isinstance(answer, tuple) else (answer, {}, b"")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args: Any) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/weir"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="session")
def _server() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def listener(_server: Listener, settings: Any) -> Listener:
    """The product's server, with nothing heard; loopback may be spoken to."""
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    _server.heard.clear()
    _server.answers.clear()
    return _server


@pytest.fixture
def now() -> datetime:
    """The real clock's: the library that verifies refuses signatures of another time."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def endpoint(db: None, listener: Listener, now: datetime) -> WebhookEndpoint:
    """An endpoint that wants everything."""
    return create_endpoint(listener.url, now)


@pytest.fixture
def says(db: None, now: datetime) -> Callable[..., None]:
    """Put a message of a customer's into the outbox: ``says("balance.low", customer="acme", available="1")``."""
    actors: dict[str, Actor] = {}

    def say(kind: str, *, customer: str = "acme", key: str = "", **payload: Any) -> None:
        actor = actors.get(customer) or actors.setdefault(customer, Actor(customer, now))
        tell(actor.row.pk, key or f"{kind}:{len(payload)}", kind, payload, now)

    return say
