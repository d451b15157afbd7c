"""An endpoint that webhooks are posted to: keeps what came, and answers as it is told."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self


class Letter(NamedTuple):
    """One post, as it came."""

    body: bytes
    signature: str


class Inbox:
    """Listens on a free loopback port from entering to leaving."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.refuses = 0
        """How many posts are still to be answered with 500."""
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(inbox.take(Letter(body, self.headers["Stripe-Signature"])))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/webhooks"

    def take(self, letter: Letter) -> int:
        with self._lock:
            if self.refuses:
                self.refuses -= 1
                return 500
            self.letters.append(letter)
            return 200
