"""What Django is handed when Granian serves RSGI, and what callers get back, over real sockets."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from kernel.sql_files import ROOT
from tests.ports import free_port

PATIENCE_SECONDS = 30.0


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    number = free_port()
    arguments = ["--interface", "rsgi", "--loop", "uvloop", "--no-ws", "--no-log", "--port", str(number)]
    with subprocess.Popen([sys.executable, "-m", "granian", *arguments, "tests.config.told:rsgi"], cwd=ROOT) as process:
        try:
            eventually(lambda: connects(number))
            yield number
        finally:
            process.terminate()


def connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def eventually(holds: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def say(port: int, text: str) -> tuple[str, bytes]:
    """Send a request as it stands, on a connection of its own; the head and the body of what comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as line:
        line.sendall(text.replace("\n", "\r\n").encode("latin-1"))
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode("latin-1").lower(), body


def told(port: int, first: str, *headers: str) -> Any:
    lines = "\n".join([f"{first} HTTP/1.1", "Host: weir.test:1", *headers, "Connection: close"])
    return json.loads(say(port, lines + "\n\n")[1])


def ends(port: int) -> list[str]:
    said: list[str] = httpx.get(f"http://127.0.0.1:{port}/ends").json()
    return said


def test_the_application_is_handed_the_request_as_it_was_sent(port: int) -> None:
    it = told(port, "GET /a%20b/%C3%A9?x=%20&y=1", "X-A: 1", "Cookie: a=1", "X-A: 2", "Cookie: b=2")
    assert (it["method"], it["scheme"], it["http_version"], it["size"]) == ("GET", "http", "1.1", 0)
    assert (it["path"], it["raw_path"], it["query"]) == ("/a b/é", "/a%20b/%C3%A9", "x=%20&y=1")
    assert it["client"][0] == "127.0.0.1"
    assert isinstance(it["client"][1], int)
    assert [header for header in it["headers"] if header[0] in {"host", "cookie"}] == [
        ["host", "weir.test:1"],
        ["cookie", "a=1"],
        ["cookie", "b=2"],
    ]
    assert [value for name, value in it["headers"] if name == "x-a"] == ["1", "2"]


@pytest.mark.parametrize("size", [0, 1, 9 * 1024 * 1024], ids=["empty", "small", "large"])
@pytest.mark.parametrize("chunked", [False, True], ids=["stated", "chunked"])
def test_a_body_arrives_whole(port: int, size: int, chunked: bool) -> None:
    body = b"x" * size
    content: Any = iter([body[: size // 2], body[size // 2 :]]) if chunked else body
    assert httpx.post(f"http://127.0.0.1:{port}/", content=content).json()["size"] == size


def test_a_length_stated_twice_is_no_mistake_of_ours(port: int) -> None:
    head, _ = say(port, "POST / HTTP/1.1\nHost: weir.test\nContent-Length: 4, 4\nConnection: close\n\nbody")
    assert head.startswith(("http/1.1 200", "http/1.1 400"))


def test_over_http_2_the_host_is_a_header_too(port: int) -> None:
    # Prior knowledge: preface, an empty SETTINGS, and one HEADERS frame with literal fields (RFC 7541, 6.2.2).
    def literal(name: bytes, value: bytes) -> bytes:
        return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value

    fields = literal(b":method", b"GET") + literal(b":scheme", b"http") + literal(b":path", b"/")
    fields += literal(b":authority", b"weir.test:1")
    frame = len(fields).to_bytes(3, "big") + b"\x01\x05" + (1).to_bytes(4, "big") + fields
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as line:
        line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + frame)
        said = b""
        while b"}" not in said:
            said += line.recv(65536)
    it = json.loads(said[said.index(b"{") : said.rindex(b"}") + 1])
    assert ["host", "weir.test:1"] in it["headers"]


def test_an_answer_may_come_in_parts_and_repeat_a_header(port: int) -> None:
    answer = httpx.get(f"http://127.0.0.1:{port}/streams")
    assert answer.text == "one two"
    assert answer.headers.get_list("x-a") == ["1", "2"]
    assert answer.headers["transfer-encoding"] == "chunked"


def test_a_head_has_the_length_and_no_body(port: int) -> None:
    head, body = say(port, "HEAD / HTTP/1.1\nHost: weir.test\nConnection: close\n\n")
    assert head.startswith("http/1.1 200")
    assert "content-length: " in head
    assert "content-length: 0" not in head
    assert body == b""


def test_an_answer_without_a_body_has_none(port: int) -> None:
    head, body = say(port, "GET /nothing HTTP/1.1\nHost: weir.test\nConnection: close\n\n")
    assert head.startswith("http/1.1 304")
    assert 'etag: "1"' in head
    assert body == b""


def test_an_application_that_fails_is_a_500_and_the_next_call_is_served(port: int) -> None:
    assert httpx.get(f"http://127.0.0.1:{port}/fails").status_code == 500
    assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200


def test_a_body_that_breaks_off_is_not_taken_for_a_shorter_one(port: int) -> None:
    before = ends(port)
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"POST / HTTP/1.1\r\nhost: weir.test\r\ncontent-length: 100\r\n\r\nhalf")
    eventually(lambda: ends(port) == [*before, "broken off"])


def test_who_waits_for_an_answer_is_missed_when_gone(port: int) -> None:
    before = ends(port)
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"POST /waits HTTP/1.1\r\nhost: weir.test\r\ncontent-length: 4\r\n\r\nbody")
        eventually(lambda: ends(port) == [*before, "waits"])
    eventually(lambda: ends(port) == [*before, "waits", "http.disconnect"])
