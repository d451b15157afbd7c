"""The service behind its own front and behind a plain ASGI server: the gate and Django on one port, one answer."""

import sys
from collections.abc import Iterator

import httpx
import pytest

from access.models import Scope
from access.services.api_keys import create_key
from entitlements.gate.http import MAX_BODY
from kernel.clock import utc_now
from tests.live import serving
from tests.world import Actor, World

pytestmark = pytest.mark.django_db(transaction=True)

COMMANDS = {
    "short": [sys.executable, "-m", "config.roles", "web"],
    "asgi": [
        "sh",
        "-c",
        'exec "$0" -m uvicorn --port "$PORT" --log-level warning config.asgi:application',
        sys.executable,
    ],
}
CHECK = {"customer": "acme", "feature": "chat", "hold": {"key": "h1"}, "estimate": {"credits": "10"}}
JSON = {"content-type": "application/json"}


@pytest.fixture(params=sorted(COMMANDS))
def service(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[httpx.Client]:
    _, token = create_key("fronts", Scope.values, utc_now())
    with serving(COMMANDS[request.param]) as url:
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=60) as client:
            yield client


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, answer.json()["code"]


def test_the_gate_and_django_answer_on_one_port(service: httpx.Client) -> None:
    Actor("acme", utc_now(), World().pro)
    held = service.post("/v1/check", json=CHECK, headers={"x-request-id": "mine-1"})
    assert held.json()["decision"] == "allow"
    assert held.headers["x-request-id"] == "mine-1"
    assert int(held.headers["content-length"]) == len(held.content)
    voided = service.post(f"/v1/holds/{held.json()['hold']['id']}/void")
    assert (voided.status_code, voided.json()["status"]) == (200, "voided")

    named = service.put("/v1/customers/acme", json={"name": "Acme Ltd"})
    assert (named.status_code, named.json()["name"]) == (200, "Acme Ltd")
    assert service.get("/v1/customers/acme/balance").json()["available"] == held.json()["balance"]["posted"]
    assert service.get("/v1/nowhere").status_code == 404

    # What is refused, in its order: the method, who calls, the kind of body, its size.
    nobody = {"authorization": ""}
    assert service.get("/v1/check", headers=nobody).headers["allow"] == "POST"
    assert refusal(service.get("/v1/check", headers=nobody)) == (405, "method_not_allowed")
    stranger = service.post("/v1/check", content=b"{", headers=nobody)
    assert refusal(stranger) == (401, "not_authenticated")
    assert stranger.headers["www-authenticate"].startswith("Bearer")
    assert refusal(service.post("/v1/check", content=b"{")) == (415, "unsupported_media_type")
    assert refusal(service.post("/v1/check", content=b"{", headers=JSON)) == (400, "malformed_body")
    too_much = b" " * (MAX_BODY + 1)
    assert refusal(service.post("/v1/check", content=too_much, headers=JSON)) == (413, "body_too_large")
    assert refusal(service.post("/v1/check", content=iter([too_much]), headers=JSON)) == (413, "body_too_large")
    in_parts = iter([b'{"customer": "acme", ', b'"feature": "chat"}'])
    assert service.post("/v1/check", content=in_parts, headers=JSON).json()["decision"] == "allow"
