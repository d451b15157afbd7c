"""The HTTP server: /v1 for Stripe's API, /sandbox for control, and pages for people. Loopback only."""

import json
import socket
import struct
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox import timeline
from sandbox.api import Call
from sandbox.control import ROUTES
from sandbox.errors import InvalidRequest, Obj, StripeError, UnknownUrl
from sandbox.faults import ConnectionBreaks
from sandbox.house import House
from sandbox.pages import Page, find_page

HOST = "127.0.0.1"
_LARGEST_BODY = 1 << 20


class Server(ThreadingHTTPServer):
    """Serves a house, which is put in place once the port is known."""

    daemon_threads = True
    request_queue_size = 128
    house: House

    def __init__(self, port: int) -> None:
        super().__init__((HOST, port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no error; everything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One connection, which may carry many requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST_BODY:
            self._send(413, "text/plain", b"too large")
            self.close_connection = True
            return
        body = self.rfile.read(length).decode("utf-8", "replace")
        if parts.path.startswith("/v1/"):
            self._answer_api(Call(self.command, parts.path, parts.query, _lower(self.headers.items()), body))
        elif parts.path == "/sandbox" or parts.path.startswith("/sandbox/"):
            self._answer_control(parts.path, parts.query, body)
        else:
            self._answer_page(parts.path, dict(parse_qsl(body if self.command == "POST" else parts.query)))

    def _answer_api(self, call: Call) -> None:
        try:
            answer = self.server.house.api.answer(call)
        except ConnectionBreaks:
            self._break()
            return
        if answer.fault is not None and answer.fault.fault == "hang":
            time.sleep(answer.fault.seconds)
        self._send_json(answer.status, answer.body, answer.headers)

    def _answer_control(self, path: str, query: str, text: str) -> None:
        try:
            found = ROUTES.find(self.command, path)
            if found is None:
                raise UnknownUrl(f"The control interface has no {self.command} {path}.")
            handler, parts = found
            body = _json_object(text) if text else dict(parse_qsl(query))
            self._send_json(200, handler(self.server.house, body, *parts))
        except StripeError as error:
            self._send_json(error.status, error.body())
        except (KeyError, TypeError, ValueError) as problem:
            self._send_json(400, InvalidRequest(f"The control interface was misunderstood: {problem!r}").body())

    def _answer_page(self, path: str, form: dict[str, str]) -> None:
        house = self.server.house
        timeline.catch_up(house.world)
        try:
            page = find_page(house, self.command, path, form)
        except StripeError as error:
            page = Page.sorry(error.message, status=error.status)
        if page.redirect is not None:
            self._send(303, "text/html; charset=utf-8", b"", {"Location": page.redirect})
        else:
            self._send(page.status, "text/html; charset=utf-8", page.html.encode())

    def _send_json(self, status: int, body: Obj, headers: dict[str, str] | None = None) -> None:
        self._send(status, "application/json", json.dumps(body).encode(), headers)

    def _send(self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def _break(self) -> None:
        """Hang up without a word, as a network does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """The log of requests is in /sandbox/requests."""


def _lower(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def _json_object(text: str) -> Obj:
    body = json.loads(text)
    if not isinstance(body, dict):
        raise InvalidRequest("The control interface takes a JSON object.")
    return body
