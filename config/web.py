"""The web role: `python -m config.web` serves on HOST and PORT with WEB_WORKERS processes, until it is told to end."""

import os
from typing import Final

import uvicorn

KEEP_ALIVE_SECONDS: Final = 75
"""Longer than the minute for which clients and proxies keep idle connections, so that none closes as it is used."""

FINISHING_SECONDS: Final = 10
"""How long callers may finish when the service is told to end."""


def main() -> None:
    """Serve. Each process imports the application, and the protocol, by name."""
    uvicorn.run(
        "config.asgi:application",
        http="config.front:Front",
        loop="uvloop",
        ws="none",
        lifespan="on",
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT") or 8000),
        workers=int(os.environ.get("WEB_WORKERS", "1")),
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=FINISHING_SECONDS,
    )


if __name__ == "__main__":
    main()
