"""The gate answers before Django on the same port: each path and method reaches the one that serves it."""

import httpx
import pytest

from kernel.clock import utc_now
from tests.world import Actor, World

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_written_through_the_gate_is_read_through_django(live_gate: str, live_key: str) -> None:
    Actor("acme", utc_now(), World().pro)
    with httpx.Client(base_url=f"{live_gate}/v1", headers={"authorization": f"Bearer {live_key}"}) as client:
        run = client.post("/runs", json={"key": "agent", "customer": "acme"}).json()
        asked = {"customer": "acme", "feature": "chat", "run": "agent", "estimate": {"credits": "5"}}
        held = client.post("/check", json=asked | {"hold": {"key": "h1"}}).json()["hold"]
        assert client.get(f"/holds/{held['id']}").json()["status"] == "open"
        assert client.get(f"/runs/{run['id']}").json()["run"]["held"] == "5"
        client.post(f"/holds/{held['id']}/settle", json={"credits": "2"})
        assert client.get(f"/holds/{held['id']}").json()["status"] == "settled"
        assert client.get(f"/runs/{run['id']}").json()["run"]["credits"] == "2"
        for method, path in (
            ("GET", "/runs"),
            ("GET", "/check"),
            ("GET", f"/runs/{run['id']}/close"),
            ("GET", f"/holds/{held['id']}/settle"),
            ("POST", f"/runs/{run['id']}"),
            ("DELETE", f"/holds/{held['id']}"),
        ):
            refused = client.request(method, path)
            assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed"), path
            assert refused.headers["content-type"] == "application/problem+json"
            assert "allow" in refused.headers, path
