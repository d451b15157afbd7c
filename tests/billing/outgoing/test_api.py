"""Endpoints and deliveries over the API, and every mistake by name."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from access import key_cache
from access.services.api_keys import create_key
from billing.models import WebhookEndpoint
from billing.outgoing.delivering import deliver_due
from billing.outgoing.dispatching import dispatch_waiting
from billing.tasks import send_webhooks
from tests.billing.outgoing.conftest import Listener
from tests.entitlements.api.conftest import refused

NOBODY = "01a20a6c-034f-71ab-a7d3-296f959f720f"
ENDPOINTS = "/webhook-endpoints"

Call = Callable[..., Any]


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Tasks somebody asked for."""
    tasks: list[Any] = []
    for module in ("webhook_endpoints", "webhook_deliveries"):
        monkeypatch.setattr(f"billing.api.{module}.wake", tasks.append)
    return tasks


@pytest.fixture
def call(db: None, listener: Listener, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """``call("POST", "/webhook-endpoints", {...})``, by a key of every scope unless told."""
    monkeypatch.setattr("entitlements.api.base.utc_now", lambda: now)

    def call(method: str, path: str, body: Any = None, *, scope: str = "admin", **query: Any) -> Any:
        _, token = create_key("test", [scope], now)
        client = Client(headers={"authorization": f"Bearer {token}"})
        sent = {} if method == "GET" else {"data": "" if body is None else body, "content_type": "application/json"}
        return getattr(client, method.lower())(f"/v1{path}", query_params=query, **sent)

    yield call
    key_cache.forget()


def test_an_endpoint_is_made_shown_changed_and_deleted(call: Call, listener: Listener, now: datetime) -> None:
    wanted = {"url": listener.url, "description": "Production", "event_types": ["top_up.failed", "balance.low"]}
    made = call("POST", ENDPOINTS, wanted)
    assert made.status_code == 201
    body = made.json()
    secret = body.pop("secret")
    path = f"{ENDPOINTS}/{body['id']}"
    assert body | {"id": "", "created_at": ""} == {
        "id": "",
        "url": listener.url,
        "description": "Production",
        "event_types": ["balance.low", "top_up.failed"],
        "enabled": True,
        "disabled_reason": None,
        "failing_since": None,
        "previous_secret_until": None,
        "created_at": "",
    }
    assert WebhookEndpoint.objects.get().secret == secret
    assert call("GET", path, scope="read").json() == body
    assert call("GET", ENDPOINTS, scope="read").json()["data"] == [body]
    changed = call("PATCH", path, {"enabled": False, "event_types": []}).json()
    assert changed == body | {"enabled": False, "event_types": []}
    assert secret.startswith("whsec_")
    assert call("DELETE", path).status_code == 204
    refused(call("GET", path), 404, "webhook_endpoint_unknown")


def test_a_rotated_secret_is_shown_once_with_the_end_of_the_one_before(
    call: Call, listener: Listener, now: datetime
) -> None:
    made = call("POST", ENDPOINTS, {"url": listener.url}).json()
    rotated = call("POST", f"{ENDPOINTS}/{made['id']}/rotate-secret", {"overlap_hours": 2}).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["previous_secret_until"] == (now + timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    at_once = call("POST", f"{ENDPOINTS}/{made['id']}/rotate-secret", {"overlap_hours": 0}).json()
    assert at_once["previous_secret_until"] is None
    by_default = call("POST", f"{ENDPOINTS}/{made['id']}/rotate-secret").json()
    assert by_default["previous_secret_until"] == (now + timedelta(hours=24)).isoformat().replace("+00:00", "Z")


def test_a_test_from_the_request_to_the_log_and_again(
    call: Call, listener: Listener, woken: list[Any], now: datetime
) -> None:
    listener.answers = [(500, {}, b"oops")]
    made = call("POST", ENDPOINTS, {"url": listener.url}).json()
    asked = call("POST", f"{ENDPOINTS}/{made['id']}/test")
    assert (asked.status_code, woken) == (202, [send_webhooks])
    deliver_due(now)
    path = f"/webhook-deliveries/{asked.json()['id']}"
    tried = call("GET", path, scope="read").json()
    assert (tried["state"], tried["type"], tried["attempts"], tried["last_status"]) == ("waiting", "test", 1, 500)
    assert [(one["status"], one["error"], one["response"]) for one in tried["tries"]] == [(500, "answered 500", "oops")]
    assert call("POST", f"{path}/resend").status_code == 202
    assert woken == [send_webhooks, send_webhooks]
    deliver_due(now)
    done = call("GET", path).json()
    assert (done["state"], done["next_try_at"], len(done["tries"])) == ("delivered", None, 2)
    assert {heard.id for heard in listener.heard} == {done["webhook_id"]}


def test_deliveries_are_found_by_endpoint_and_state(
    call: Call, listener: Listener, says: Callable[..., None], now: datetime
) -> None:
    ids = [call("POST", ENDPOINTS, {"url": listener.url}).json()["id"] for _ in range(2)]
    WebhookEndpoint.objects.update(created_at=now)
    says("balance.low")
    dispatch_waiting(now)

    def found(**query: Any) -> int:
        return len(call("GET", "/webhook-deliveries", **query).json()["data"])

    assert (found(), found(endpoint=ids[0]), found(state="waiting"), found(state="failed")) == (2, 1, 2, 0)
    assert found(endpoint=NOBODY) == 0
    page = call("GET", "/webhook-deliveries", limit=1).json()
    following = call(
        "GET", "/webhook-deliveries", limit=1, cursor=page["next"].split("cursor=")[1].split("&")[0]
    ).json()
    assert {page["data"][0]["id"], following["data"][0]["id"]} == {
        one["id"] for one in call("GET", "/webhook-deliveries").json()["data"]
    }


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "invalid_input", "url"),
        ({"url": "http://example.com/"}, "webhook_url_refused", "url"),
        ({"url": "https://169.254.169.254/"}, "webhook_url_refused", "url"),
        ({"url": 7}, "invalid_input", "url"),
        ({"url": "https://example.com/" + "x" * 2000}, "invalid_input", "url"),
        ({"url": "https://example.com/", "event_types": ["balance.lo"]}, "invalid_input", "event_types[0]"),
        ({"url": "https://example.com/", "event_types": "balance.low"}, "invalid_input", "event_types"),
        ({"url": "https://example.com/", "secret": "whsec_x"}, "invalid_input", "secret"),
        ({"url": "https://example.com/", "description": "x" * 201}, "invalid_input", "description"),
    ],
    ids=range(9),
)
def test_mistakes_are_named(call: Call, body: Any, code: str, field: str) -> None:
    refused(call("POST", ENDPOINTS, body), 422, code, field)
    assert not WebhookEndpoint.objects.exists()


def test_who_may_only_read_changes_nothing(call: Call, listener: Listener) -> None:
    made = call("POST", ENDPOINTS, {"url": listener.url}).json()
    path = f"{ENDPOINTS}/{made['id']}"
    for method, where, body in (
        ("POST", ENDPOINTS, {"url": listener.url}),
        ("PATCH", path, {"enabled": False}),
        ("DELETE", path, None),
        ("POST", f"{path}/rotate-secret", None),
        ("POST", f"{path}/test", None),
        ("POST", f"/webhook-deliveries/{NOBODY}/resend", None),
    ):
        refused(call(method, where, body, scope="read"), 403, "scope_missing")
    for method, where in (("GET", path), ("GET", ENDPOINTS)):
        assert "secret" not in str(call(method, where, scope="read").json()).replace("previous_secret_until", "")


def test_what_is_not_there_or_off_is_refused(call: Call, listener: Listener) -> None:
    for method, where in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/rotate-secret")):
        body = {} if method == "PATCH" else None
        refused(call(method, f"{ENDPOINTS}/{NOBODY}{where}", body), 404, "webhook_endpoint_unknown")
    refused(call("GET", f"/webhook-deliveries/{NOBODY}"), 404, "webhook_delivery_unknown")
    refused(call("POST", f"/webhook-deliveries/{NOBODY}/resend"), 404, "webhook_delivery_unknown")
    refused(call("GET", "/webhook-deliveries", state="lost"), 422, "invalid_input", "state")
    off = call("POST", ENDPOINTS, {"url": listener.url, "enabled": False}).json()
    refused(call("POST", f"{ENDPOINTS}/{off['id']}/test"), 409, "webhook_endpoint_disabled")
    refused(
        call("POST", f"{ENDPOINTS}/{off['id']}/rotate-secret", {"overlap_hours": 721}),
        422,
        "invalid_input",
        "overlap_hours",
    )
