"""`python -m config.health`: whether the web process on PORT answers; exits with 0 or 1. For HEALTHCHECK."""

import http.client
import os
import sys


def is_healthy(port: int) -> bool:
    """Whether /healthz on this machine answers 200 within five seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    # A service that only knows its public name answers to nothing else.
    name = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].lstrip(".").replace("*", "127.0.0.1")
    try:
        connection.request("GET", "/healthz", headers={"Host": name})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_healthy(int(os.environ.get("PORT") or "8000")) else 1)
