"""Talking to the gate in this process, over ASGI, on the test's own database."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import httpx
from django.db import connection

from access.services.api_keys import create_key
from entitlements.gate.app import Gate
from kernel.clock import utc_now

T = TypeVar("T")


def test_dsn() -> str:
    """The address of the database the tests are on."""
    settings = connection.settings_dict
    return f"postgresql://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"


test_dsn.__test__ = False  # type: ignore[attr-defined]


def with_gate(
    story: Callable[[httpx.AsyncClient], Awaitable[T]], *, scopes: Sequence[str] = ("check", "usage"), **options: Any
) -> T:
    """Run a story against a gate of its own, with a client that carries a fresh key."""
    _, token = create_key("story", list(scopes), utc_now())

    async def run() -> T:
        gate = Gate(test_dsn(), **options)
        transport = httpx.ASGITransport(app=gate)  # type: ignore[arg-type]
        headers = {"authorization": f"Bearer {token}"}
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://gate", headers=headers) as client:
                return await story(client)
        finally:
            await gate.close()

    return asyncio.run(run())


async def aside(action: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """Do something in Django meanwhile, on a connection that does not outlive it."""

    def run() -> T:
        try:
            return action(*arguments, **options)
        finally:
            connection.close()

    return await asyncio.to_thread(run)


def event(key: str = "e1", **parts: Any) -> dict[str, Any]:
    """A chat on the small model as an app reports it: the provider's own usage body."""
    body = {
        "key": key,
        "customer": "acme",
        "feature": "chat",
        "model": "gpt-4o-mini",
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }
    return {name: value for name, value in (body | parts).items() if value is not None}
