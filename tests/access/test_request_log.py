"""One line per request, and an id that ties everything about it together."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from access.logging import OurHandler, configure_logging

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls")]

Make = Callable[..., Client]


@pytest.fixture
def lines(settings: Any) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the service logged since, read back from its JSON."""
    configure_logging(level="INFO", as_json=True)
    stream = io.StringIO()
    (handler,) = [each for each in logging.getLogger().handlers if isinstance(each, OurHandler)]
    handler.setStream(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    configure_logging(level=settings.LOG_LEVEL, as_json=settings.LOG_JSON)


def test_a_plain_id_is_kept_and_echoed() -> None:
    assert Client().get("/v1/echo", headers={"x-request-id": "trace-42.a:b_C"})["X-Request-Id"] == "trace-42.a:b_C"


@pytest.mark.parametrize("sent", [None, "", "a b", "x" * 129, "a\tb", '{"a":1}', "é"])
def test_anything_else_is_replaced_by_a_new_id(sent: str | None) -> None:
    headers = {} if sent is None else {"x-request-id": sent}
    first = Client().get("/v1/echo", headers=headers)["X-Request-Id"]
    second = Client().get("/v1/echo", headers=headers)["X-Request-Id"]
    assert UUID(first).version == UUID(second).version == 7
    assert first != second


def test_a_request_is_one_line_with_who_what_and_how_long(client_with: Make, lines: Any) -> None:
    client = client_with("read", name="backend")
    response = client.get("/v1/echo?tag=private", headers={"x-request-id": "r-1"})
    (line,) = lines()
    assert line.pop("ms") > 0
    assert line.pop("timestamp").endswith("Z")
    prefix = line.pop("key")
    assert response.wsgi_request.headers["Authorization"].startswith(f"Bearer {prefix}_")
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "weir.request",
        "method": "GET",
        "path": "/v1/echo",
        "status": 200,
        "key_name": "backend",
        "request_id": "r-1",
    }


def test_a_bug_leaves_its_traceback_under_the_same_id(client_with: Make, lines: Any) -> None:
    client = client_with("read")
    client.raise_request_exception = False
    client.get("/v1/fails/bug", headers={"x-request-id": "r-2"})
    error, request = lines()
    assert error["request_id"] == request["request_id"] == "r-2"
    assert error["level"] == "error"
    assert "ZeroDivisionError: secret detail" in error["exception"]
    assert request["status"] == 500


def test_a_refusal_is_not_logged_twice(lines: Any) -> None:
    Client().get("/v1/nowhere")
    assert [line["status"] for line in lines()] == [404]


def test_configuring_twice_does_not_log_twice(client_with: Make, lines: Any) -> None:
    logging.getLogger("library").warning("once %s", "only")
    configure_logging(level="INFO", as_json=True)
    ours = [each for each in logging.getLogger().handlers if isinstance(each, OurHandler)]
    assert len(ours) == 1
    (line,) = lines()
    assert (line["event"], line["logger"], line["level"]) == ("once only", "library", "warning")
