"""Refusals: each a class with a stable code and status, rendered as RFC 9457 problem+json."""

from http import HTTPStatus
from typing import Any, ClassVar


class Problem(Exception):
    """A refusal the caller can act on.

    `code` is stable and documented; `detail` is for the reader; `field` names the input at fault
    (a JSON path such as ``events[3].usage.input_tokens``); `extra` adds members to the body.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title: ClassVar[str] = "The request could not be understood"

    def __init__(self, detail: str = "", *, field: str | None = None, **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.field = field
        self.extra = extra

    def body(self, request_id: str | None = None) -> dict[str, Any]:
        """The problem+json members; `type` links to the code's place in the documentation."""
        body: dict[str, Any] = {
            "type": f"/docs/problems#{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.field is not None:
            body["field"] = self.field
        if request_id is not None:
            body["request_id"] = request_id
        body.update(self.extra)
        return body


class MalformedBody(Problem):
    code = "malformed_body"
    title = "The body is not valid JSON"


class InvalidInput(Problem):
    status = 422
    code = "invalid_input"
    title = "A field has a value that cannot be accepted"


class BodyTooLarge(Problem):
    status = 413
    code = "body_too_large"
    title = "The body is larger than this endpoint accepts"


class UnsupportedMedia(Problem):
    status = 415
    code = "unsupported_media_type"
    title = "The body must be JSON"


class NotAuthenticated(Problem):
    status = 401
    code = "not_authenticated"
    title = "An API key is needed"


class ScopeMissing(Problem):
    status = 403
    code = "scope_missing"
    title = "This API key may not do that"


class NotFound(Problem):
    status = 404
    code = "not_found"
    title = "There is nothing here"


class MethodNotAllowed(Problem):
    status = 405
    code = "method_not_allowed"
    title = "This method is not allowed here"


class Conflict(Problem):
    status = 409
    code = "conflict"
    title = "The request conflicts with what is stored"


class KeyReused(Conflict):
    code = "key_reused"
    title = "This key was used before with another body"


class Unavailable(Problem):
    status = 503
    code = "unavailable"
    title = "The service cannot answer right now"


def status_title(status: int) -> str:
    """The standard reason phrase, for statuses no class above describes."""
    return HTTPStatus(status).phrase
