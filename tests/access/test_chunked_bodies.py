"""A body sent in chunks has no stated length; it is read, and bounded, like any other."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.db import connections

from access.services.api_keys import create_key
from entitlements.models import Customer
from kernel.clock import utc_now

pytestmark = pytest.mark.django_db(transaction=True)


def put_in_chunks(path: str, *chunks: bytes) -> tuple[int, bytes]:
    """PUT over ASGI as a server hands a chunked request on: no Content-Length, one message a chunk."""
    _, token = create_key("chunks", ["admin"], utc_now())
    messages = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
        for number, chunk in enumerate(chunks, start=1)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "PUT",
        "path": path,
        "query_string": b"",
        "headers": [
            (b"host", b"localhost"),
            (b"authorization", f"Bearer {token}".encode()),
            (b"content-type", b"application/json"),
            (b"transfer-encoding", b"chunked"),
        ],
    }

    async def serve() -> None:
        await get_asgi_application()(scope, receive, send)  # type: ignore[arg-type]
        # Django's thread has a connection of its own, which would keep the test database from being dropped.
        await sync_to_async(connections.close_all)()

    asyncio.run(serve())
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_a_chunked_body_is_read() -> None:
    status, _ = put_in_chunks("/v1/customers/chunked", b'{"name": ', b'"Chunked"}')
    assert (status, Customer.objects.get(key="chunked").name) == (201, "Chunked")


def test_a_chunked_body_beyond_the_limit_is_refused() -> None:
    status, body = put_in_chunks("/v1/customers/chunked", *[b" " * 1024 * 1024] * 9)
    assert status == 413
    assert b"body_too_large" in body
    assert not Customer.objects.exists()
