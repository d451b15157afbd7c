"""`config.run` with stand-ins for its processes, so that its own behaviour can be told quickly; test_run.py runs it.

STUB_BROKEN names the role that fails: `migrate` at once, another after a moment.
"""

import os
import sys
from typing import Any

from config import roles, run


def _command(role: str) -> list[str]:
    broken = role == os.environ.get("STUB_BROKEN")
    match role:
        case "web" if not broken:
            port = os.environ.get("PORT") or "8000"
            return [sys.executable, "-m", "uvicorn", "--port", port, "tests.config.stub_service:application"]
        case "migrate":
            return [sys.executable, "-c", f"raise SystemExit({int(broken)})"]
        case _:
            return [sys.executable, "-c", f"import time; time.sleep({1 if broken else 600}); raise SystemExit(3)"]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that answers 200 to everything."""
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


if __name__ == "__main__":
    roles.command = _command
    sys.exit(run.main(sys.argv[1:]))
