"""The little of HTTP the gate needs, whichever server brings it: a bounded JSON body in, an answer out."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from access.keys import CHALLENGE
from kernel.errors import BodyTooLarge, Problem, UnsupportedMedia

MAX_BODY = 8 * 1024 * 1024
"""Bytes. 10,000 events of a provider's whole usage body fit."""

MAX_HEAD = 64 * 1024
"""Bytes of a request's line and headers, give or take what arrives at once."""

Headers = list[tuple[str, str]]

_encode = msgspec.json.Encoder().encode


class Request(ABC):
    """A request being served."""

    def __init__(self, method: str, path: str) -> None:
        self.method, self.path = method, path
        self.id = ""
        """The id in the path, where the route has one."""

    @abstractmethod
    def header(self, name: str) -> str:
        """A header's value by its lower-case name; "" when it is not there."""

    @abstractmethod
    async def read(self, length: int | None) -> bytes:
        """The body, of `length` bytes if that was stated. Raises BodyTooLarge, ClientGone."""

    async def json_body(self) -> bytes:
        """The body's bytes. Raises UnsupportedMedia, BodyTooLarge (before reading it when its length is stated)."""
        if not _is_json(self.header("content-type")):
            raise UnsupportedMedia("send the body with Content-Type: application/json")
        stated = self.header("content-length")
        length = int(stated) if stated.isdecimal() else None
        if length is not None and length > MAX_BODY:
            raise _too_large()
        return await self.read(length)


class Answer(NamedTuple):
    """What goes back. How long the body is, the server says."""

    status: int
    headers: Headers
    body: bytes


class ClientGone(Exception):
    """The caller hung up before sending everything: there is nobody to answer."""


async def bounded(chunks: AsyncIterable[bytes]) -> bytes:
    """All chunks as one body. Raises BodyTooLarge as soon as they are."""
    kept, size = [], 0
    async for chunk in chunks:
        size += len(chunk)
        if size > MAX_BODY:
            raise _too_large()
        kept.append(chunk)
    return b"".join(kept)


def answer(status: int, body: Any, request_id: str) -> Answer:
    """A JSON answer."""
    return Answer(status, [("content-type", "application/json"), ("x-request-id", request_id)], _encode(body))


def refusal(problem: Problem, request_id: str) -> Answer:
    """A problem, with the headers its status calls for."""
    headers = [("content-type", "application/problem+json"), ("x-request-id", request_id)]
    if problem.status == 401:
        headers.append(("www-authenticate", CHALLENGE))
    if problem.status == 503:
        headers.append(("retry-after", "1"))
    if problem.status == 405:
        headers.append(("allow", problem.extra.get("allow", "POST")))
    return Answer(problem.status, headers, _encode(problem.body(request_id)))


@lru_cache(maxsize=256)
def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(f"the body is limited to {MAX_BODY} bytes; send smaller batches")
