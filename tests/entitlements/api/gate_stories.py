"""What the gate did before it is read: holds, settlements and runs at one instant, over its own endpoints."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import httpx

from tests.gate import with_gate

Tell = Callable[["Teller"], Awaitable[Any]]


class Teller:
    """Calls the gate for the customer acme, and gives back the answers' bodies."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def post(self, path: str, body: Any = None) -> dict[str, Any]:
        answer: dict[str, Any] = (await self._client.post(path, json={} if body is None else body)).json()
        return answer

    async def asks(self, **parts: Any) -> dict[str, Any]:
        return await self.post("/v1/check", {"customer": "acme", "feature": "chat"} | parts)

    async def holds(self, key: str, credits: str = "10", **parts: Any) -> str:
        held = {"estimate": {"credits": credits}, "hold": {"key": key, "ttl_seconds": 60}}
        answer = await self.asks(**(held | parts))
        hold_id: str = answer["hold"]["id"]
        return hold_id

    async def settles(self, hold_id: str, credits: str, **parts: Any) -> dict[str, Any]:
        return await self.post(f"/v1/holds/{hold_id}/settle", {"credits": credits} | parts)

    async def opens(self, key: str, **parts: Any) -> str:
        run_id: str = (await self.post("/v1/runs", {"key": key, "customer": "acme"} | parts))["id"]
        return run_id

    async def uses(self, key: str, credits: str, **parts: Any) -> dict[str, Any]:
        event = {"key": key, "customer": "acme", "feature": "chat", "credits": credits}
        return await self.post("/v1/usage", event | parts)


def told(at: datetime, tell: Tell) -> Any:
    """Tell a story to the gate at one instant."""

    async def story(client: httpx.AsyncClient) -> Any:
        return await tell(Teller(client))

    return with_gate(story, clock=lambda: at)
