"""The short way to the gate over real sockets: callers who pipeline, dribble, hang up or never stop."""

import json
import socket
import sys
from collections.abc import Iterator

import pytest

from access.models import Scope
from access.services.api_keys import create_key
from entitlements.gate.http import MAX_HEAD
from kernel.clock import utc_now
from tests.live import serving
from tests.world import Actor, World

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 30.0


class Line:
    """A connection to the service, and a key for it."""

    def __init__(self, port: int, token: str) -> None:
        self.token = token
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self.rest = b""

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def request(self, body: bytes, *headers: str, path: str = "/v1/check", version: str = "1.1") -> bytes:
        """A request as it goes out, its length stated unless its headers say how it comes."""
        lines = [f"POST {path} HTTP/{version}", "Host: weir.test", f"Authorization: Bearer {self.token}"]
        lines += ["Content-Type: application/json", *(headers or [f"Content-Length: {len(body)}"])]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer."""
        while b"\r\n\r\n" not in self.rest:
            self._hear()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self.rest) < length:
            self._hear()
        body, self.rest = self.rest[:length], self.rest[length:]
        return int(first.split()[1]), headers, body

    def ends(self) -> bool:
        """Whether the service has closed the connection, and said nothing more."""
        return self.rest == b"" and self.socket.recv(1) == b""

    def _hear(self) -> None:
        heard = self.socket.recv(65536)
        assert heard, f"closed after {self.rest!r}"
        self.rest += heard


@pytest.fixture(scope="module")
def port(django_db_setup: None, django_db_blocker: object) -> Iterator[int]:
    with django_db_blocker.unblock(), serving([sys.executable, "-m", "config.roles", "web"]) as url:  # type: ignore[attr-defined]
        yield int(url.rpartition(":")[2])


@pytest.fixture
def line(port: int) -> Iterator[Line]:
    Actor("acme", utc_now(), World().pro)
    _, token = create_key("front", Scope.values, utc_now())
    these = Line(port, token)
    yield these
    these.socket.close()


def check(**parts: object) -> bytes:
    return json.dumps({"customer": "acme", "feature": "chat", "estimate": {"credits": "10"}} | parts).encode()


def test_calls_sent_without_waiting_are_answered_in_their_order(line: Line) -> None:
    bodies = [check(hold={"key": f"h{number}"}) for number in range(12)]
    mixed = [line.request(body) for body in bodies]
    mixed.insert(5, b"GET /v1/nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    line.say(b"".join(mixed))
    answers = [line.answer() for _ in mixed]
    assert [status for status, *_ in answers] == [200] * 5 + [404] + [200] * 7
    decisions = [json.loads(body).get("decision") for _, _, body in answers]
    assert decisions == ["allow"] * 5 + [None] + ["allow"] * 5 + ["deny"] * 2


def test_a_body_may_come_a_byte_at_a_time(line: Line) -> None:
    for byte in line.request(check()):
        line.say(bytes([byte]))
    status, headers, body = line.answer()
    assert (status, json.loads(body)["decision"]) == (200, "allow")
    assert "date" in headers


def test_neither_bodies_nor_many_requests_count_as_headers(line: Line) -> None:
    large = check(user="u" * MAX_HEAD * 3)
    for body in (large, *[check()] * (MAX_HEAD // 200), large):
        line.say(line.request(body))
        assert line.answer()[0] != 400 or body is large
    line.say(line.request(check()))
    assert line.answer()[0] == 200


def test_a_body_in_chunks_is_one_body(line: Line) -> None:
    whole = check()
    parts = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (whole[:7], whole[7:]))
    line.say(line.request(parts + b"0\r\n\r\n", "Transfer-Encoding: chunked"))
    assert line.answer()[0] == 200


def test_who_asks_first_whether_to_go_on_is_told_to(line: Line) -> None:
    body = check()
    line.say(line.request(b"", f"Content-Length: {len(body)}", "Expect: 100-continue"))
    assert line.answer()[0] == 100
    line.say(body)
    assert line.answer()[0] == 200


def test_who_is_refused_before_the_body_is_not_asked_for_it_and_may_go_on(line: Line) -> None:
    refused = line.request(b"", "Content-Length: 4", "Expect: 100-continue").replace(b"Bearer ", b"Nobody ")
    line.say(refused)
    assert line.answer()[0] == 401
    line.say(b"{}{}" + line.request(check()))
    assert line.answer()[0] == 200


@pytest.mark.parametrize(("version", "headers"), [("1.0", ()), ("1.1", ("Connection: close",))])
def test_who_wants_one_answer_gets_one(line: Line, version: str, headers: tuple[str, ...]) -> None:
    body = check()
    line.say(line.request(body, f"Content-Length: {len(body)}", *headers, version=version))
    status, said, _ = line.answer()
    assert (status, said["connection"]) == (200, "close")
    assert line.ends()


@pytest.mark.parametrize("head", [b"x: " + b"y" * MAX_HEAD, b"x: y\r\n" * (MAX_HEAD // 6)], ids=["one", "many"])
def test_headers_without_end_are_not_kept(line: Line, head: bytes) -> None:
    line.say(b"POST /v1/check HTTP/1.1\r\n" + head)
    assert line.answer()[0] == 400
    assert line.ends()


def test_what_is_no_request_is_told_so(line: Line) -> None:
    line.say(b"nonsense\r\n\r\n")
    assert line.answer()[0] == 400


def test_who_hangs_up_in_the_middle_troubles_nobody(port: int, line: Line) -> None:
    body = check(hold={"key": "h1"})
    other = Line(port, line.token)
    other.say(other.request(body[:10], f"Content-Length: {len(body)}"))
    other.socket.close()
    line.say(line.request(body))
    assert line.answer()[0] == 200
