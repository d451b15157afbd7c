"""Calls over HTTP, tried again where that is safe: every call that writes has a key."""

import random
import time
from typing import Any

import httpx

from weir_sdk.errors import Refused, Unreachable


class Wire:
    """One service. Threads may share it."""

    def __init__(self, base_url: str, api_key: str, *, timeout_seconds: float, tries: int) -> None:
        self._client = httpx.Client(
            base_url=base_url, headers={"authorization": f"Bearer {api_key}"}, timeout=timeout_seconds
        )
        self._tries = tries

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer's body. Raises Refused, or Unreachable after the last try."""
        return self._call("POST", path, body)

    def get(self, path: str) -> dict[str, Any]:
        """The answer's body. Raises Refused, or Unreachable after the last try."""
        return self._call("GET", path, None)

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        trouble = ""
        for attempt in range(self._tries):
            if attempt:
                time.sleep(min(2.0, 0.1 * 2**attempt) * random.uniform(0.5, 1.0))  # noqa: S311 - to spread retries
            try:
                answer = self._client.request(method, path, json=body)
            except httpx.TransportError as error:
                trouble = str(error) or type(error).__name__
                continue
            if answer.status_code >= 500:
                trouble = f"{answer.status_code} from {path}"
                continue
            decoded: dict[str, Any] = answer.json()
            if answer.status_code >= 400:
                raise Refused(answer.status_code, decoded)
            return decoded
        raise Unreachable(trouble)
