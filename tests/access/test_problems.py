"""Whatever goes wrong under /v1/, the caller gets a problem it can act on, never HTML."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls")]

Make = Callable[..., Client]


def problem(response: HttpResponse) -> dict[str, Any]:
    """The body, once it is certain that it is a well-formed problem of this response."""
    assert response["Content-Type"] == "application/problem+json", response.content[:200]
    body: dict[str, Any] = response.json()  # type: ignore[attr-defined]
    assert body["status"] == response.status_code
    assert body["type"] == f"/docs/problems#{body['code']}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response["X-Request-Id"]
    return body


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("problem", 409, "key_reused"),
        ("missing", 404, "not_found"),
        ("denied", 403, "scope_missing"),
        ("suspicious", 400, "bad_request"),
        ("throttled", 429, "too_many_requests"),
        ("unique", 409, "conflict"),
        ("check", 422, "invalid_input"),
        ("null", 422, "invalid_input"),
        ("too_long", 422, "invalid_input"),
        ("nul", 422, "invalid_input"),
        ("surrogate", 422, "invalid_input"),
    ],
)
def test_every_failure_has_its_code(client_with: Make, how: str, status: int, code: str) -> None:
    body = problem(client_with("read").get(f"/v1/fails/{how}"))
    assert (body["status"], body["code"]) == (status, code)


def test_a_problem_carries_its_field_and_its_extras(client_with: Make) -> None:
    body = problem(client_with("read").get("/v1/fails/problem"))
    assert body["field"] == "key"
    assert body["first_seen"] == "2026-11-15T12:00:00Z"


def test_a_broken_database_rule_is_named(client_with: Make) -> None:
    client = client_with("read")
    check, unique = problem(client.get("/v1/fails/check")), problem(client.get("/v1/fails/unique"))
    assert check["constraint"] == "api_key_scopes_are_known"
    assert check["detail"] == "This breaks the rule: api key scopes are known"
    assert unique["constraint"] == "api_key_prefix_key"


def test_a_missing_value_names_its_column(client_with: Make) -> None:
    assert problem(client_with("read").get("/v1/fails/null"))["field"] == "name"


def test_waiting_time_is_in_the_header(client_with: Make) -> None:
    assert client_with("read").get("/v1/fails/throttled")["Retry-After"] == "13"


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", ["/v1/fails/bug", "/v1/bare-bug"])
def test_a_bug_says_nothing_but_where_to_look(client_with: Make, settings: Any, debug: bool, path: str) -> None:
    settings.DEBUG = debug
    client = client_with("read")
    client.raise_request_exception = False
    response = client.get(path)
    assert problem(response)["code"] == "internal_error"
    assert b"secret" not in response.content


def test_pages_keep_their_own_error_pages(settings: Any) -> None:
    client = Client(raise_request_exception=False)
    assert client.get("/page/bare-bug")["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("debug", [True, False])
def test_an_unknown_route_or_host_is_a_problem_too(client_with: Make, settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    client = client_with("read")
    nowhere = client.get("/v1/nowhere")
    assert problem(nowhere)["code"] == "not_found"
    assert int(nowhere["Content-Length"]) == len(nowhere.content)
    assert problem(client.get("/v1/echo/"))["code"] == "not_found"
    assert problem(client.get("/v1/echo", headers={"host": "elsewhere.example"}))["code"] == "bad_request"


def test_http_itself_is_answered_in_kind(client_with: Make) -> None:
    client = client_with("read", "usage", "admin")
    response = client.patch("/v1/echo", {}, content_type="application/json")
    assert problem(response)["code"] == "method_not_allowed"
    assert "POST" in response["Allow"]
    assert problem(client.options("/v1/echo"))["code"] == "method_not_allowed"
    assert problem(client.post("/v1/echo", {"name": "a"}))["code"] == "unsupported_media_type"
    assert problem(client.get("/v1/echo", headers={"accept": "text/html"}))["code"] == "not_acceptable"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b'{"name": NaN}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\x00"}',
        b"[" * 100_000,
        b'{"name": ' + b"9" * 5000 + b"}",
    ],
    ids=["cut", "words", "nan", "latin1", "surrogate", "raw-nul", "deep", "digits"],
)
def test_what_is_not_json_is_malformed(client_with: Make, body: bytes) -> None:
    response = client_with("usage").post("/v1/echo", body, content_type="application/json")
    assert problem(response)["code"] == "malformed_body"
    assert response.status_code == 400


def test_a_body_beyond_the_limit_is_refused(client_with: Make, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = client_with("usage").post("/v1/echo", {"name": "x" * 1000}, content_type="application/json")
    assert problem(response)["code"] == "body_too_large"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ([], None),
        ("text", None),
        (None, None),
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"name": ["a"]}, "name"),
        ({"name": "x" * 11}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "a", "nmae": "b"}, "nmae"),
        ({"name": "a", "items": [{"tokens": 1}, {"tokens": -1}]}, "items[1].tokens"),
        ({"name": "a", "items": [{"tokens": 1}, {"tokens": "many"}]}, "items[1].tokens"),
        ({"name": "a", "items": [{"tokens": 1}, 7]}, "items[1]"),
        ({"name": "a", "items": {"tokens": 1}}, "items"),
        ({"name": "a", "items": [{"tokens": 1, "toknes": 1}]}, "items[0].toknes"),
        ({"name": "a", "items": [{"tokens": 1, "a\0": 1}]}, "items[0]"),
        ({"name": "a", "credits": 1.5}, "credits"),
        ({"name": "a", "credits": True}, "credits"),
        ({"name": "a", "credits": "1.0000001"}, "credits"),
        ({"name": "a", "credits": "1e400"}, "credits"),
        ({"name": "a", "credits": "-9999999999999999"}, "credits"),
        ({"name": "a", "credits": "NaN"}, "credits"),
        ({"name": "a", "credits": {}}, "credits"),
        ({"name": "a", "paid": "5 USD"}, "paid"),
        ({"name": "a", "paid": {"amount": "5"}}, "paid"),
        ({"name": "a", "paid": {"amount": "5", "currency": "XXX"}}, "paid.currency"),
        ({"name": "a", "paid": {"amount": "5", "currency": ["USD"]}}, "paid.currency"),
        ({"name": "a", "paid": {"amount": 5, "currency": "USD"}}, "paid.amount"),
        ({"name": "a", "paid": {"amount": "-5", "currency": "USD"}}, "paid.amount"),
        ({"name": "a", "paid": {"amount": "5.001", "currency": "USD"}}, "paid.amount"),
        ({"name": "a", "paid": {"amount": "5.5", "currency": "JPY"}}, "paid.amount"),
        ({"name": "a", "paid": {"amount": "1e99999999", "currency": "USD"}}, "paid.amount"),
        ({"name": "a", "at": "2026-11-15T12:00:00"}, "at"),
        ({"name": "a", "at": "yesterday"}, "at"),
        ({"name": "a", "at": 1763208000}, "at"),
        ({"name": "a", "at": "1970-01-01T00:00:00Z"}, "at"),
        ({"name": "a", "at": "9999-12-31T23:59:59-23:00"}, "at"),
        ({"name": "a", "at": "2500-01-01T00:00:00Z"}, "at"),
    ],
)
def test_a_bad_value_is_named_by_its_path(client_with: Make, body: Any, field: str | None) -> None:
    answer = problem(client_with("usage").generic("POST", "/v1/echo", _json(body), content_type="application/json"))
    assert (answer["status"], answer.get("field")) == (422, field), answer


def _json(body: Any) -> str:
    import json

    return json.dumps(body)


def test_several_faults_are_all_listed(client_with: Make) -> None:
    body = {"name": 5, "credits": "x", "items": [{"tokens": -1}]}
    answer = problem(client_with("usage").post("/v1/echo", body, content_type="application/json"))
    assert [error["field"] for error in answer["errors"]] == ["name", "credits", "items[0].tokens"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("tga=blue", "tga"), ("tag=a&tag=b", "tag"), ("tag=%00", "tag"), ("limit=5", "limit"), ("%00=1", "\0")],
)
def test_a_query_parameter_that_would_be_ignored_is_refused(client_with: Make, query: str, field: str) -> None:
    answer = problem(client_with("read").get(f"/v1/echo?{query}"))
    assert (answer["status"], answer["field"]) == (422, field)


def test_a_known_query_parameter_is_read(client_with: Make) -> None:
    assert client_with("read").get("/v1/echo?tag=blue").json() == {"query": {"tag": "blue"}}
