"""An ASGI application that tells what it was handed, served by Granian over RSGI; test_asgi_over_rsgi.py calls it."""

import asyncio
from typing import Any

import msgspec

from config.asgi_over_rsgi import serve

_ends: list[str] = []
"""How requests ended whose callers went away."""


async def application(scope: Any, receive: Any, send: Any) -> None:
    match scope["path"]:
        case "/ends":
            body = msgspec.json.encode(_ends)
        case "/waits":
            await _read(receive)
            _ends.append("waits")
            _ends.append((await receive())["type"])
            return
        case "/streams":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1"), (b"x-a", b"2")]})
            for part in (b"one ", b"", b"two"):
                await send({"type": "http.response.body", "body": part, "more_body": True})
                await asyncio.sleep(0)
            await send({"type": "http.response.body"})
            return
        case "/nothing":
            await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", b'"1"')]})
            await send({"type": "http.response.body"})
            return
        case "/fails":
            raise RuntimeError("as it was told to")
        case _:
            size = await _read(receive)
            if size is None:
                return
            told = {name: scope[name] for name in ("method", "http_version", "scheme", "path", "client")}
            told |= {"raw_path": scope["raw_path"].decode(), "query": scope["query_string"].decode(), "size": size}
            told["headers"] = [[part.decode("latin-1") for part in header] for header in scope["headers"]]
            body = msgspec.json.encode(told)
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})


async def _read(receive: Any) -> int | None:
    """The size of the body; None when it broke off."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            _ends.append("broken off")
            return None
        size += len(message["body"])
        more = message["more_body"]
    return size


async def rsgi(scope: Any, protocol: Any) -> None:
    await serve(application, scope, protocol)
