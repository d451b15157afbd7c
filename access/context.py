"""The request's id, known to everything that handles the request."""

import re
from typing import Final

import structlog
from uuid_utils import uuid7

_SANE: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def request_id_from(header: str | None) -> str:
    """The caller's own id when it is short and plain enough to log and echo; otherwise a new one."""
    if header and _SANE.fullmatch(header):
        return header
    return str(uuid7())


def current_request_id() -> str | None:
    """The id of the request being served in this context."""
    request_id: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return request_id
