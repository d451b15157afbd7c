"""Every refusal as problem+json (RFC 9457): what DRF, Django and the database raise, in our words.

`problem_response` is DRF's exception handler; `problem_for_status` words the refusals that never
reach a view. Bugs are left to Django, which logs them with their traceback; the middleware words
the answer.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import msgspec
import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError
from django.http import Http404, HttpResponse
from rest_framework import exceptions as drf

from access.context import current_request_id
from access.database_problems import problem_for_database
from access.keys import CHALLENGE
from kernel.errors import (
    BodyTooLarge,
    InvalidInput,
    MalformedBody,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    Problem,
    ScopeMissing,
    Unavailable,
    UnsupportedMedia,
    status_title,
)

log = structlog.get_logger("weir.problems")

CONTENT_TYPE: Final = "application/problem+json"


class NotAcceptable(Problem):
    status = 406
    code = "not_acceptable"
    title = "Answers are JSON only"


class TooManyRequests(Problem):
    status = 429
    code = "too_many_requests"
    title = "Too many requests"


class InternalError(Problem):
    """Ours to fix. The body says nothing but the request id, under which the log has the rest."""

    status = 500
    code = "internal_error"
    title = "Something went wrong on our side"


def problem_response(exc: Exception, context: dict[str, Any] | None = None) -> HttpResponse | None:  # noqa: ARG001
    """DRF's exception handler. None leaves an unforeseen exception to Django, as a 500."""
    problem = as_problem(exc)
    if problem is None:
        return None
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("unavailable", exc_info=exc)
    return problem_http(problem, retry_after=getattr(exc, "wait", None))


def problem_http(problem: Problem, *, retry_after: float | None = None) -> HttpResponse:
    """The HTTP answer for a problem, naming the current request."""
    response = HttpResponse(
        msgspec.json.encode(problem.body(current_request_id()), enc_hook=str),
        status=problem.status,
        content_type=CONTENT_TYPE,
    )
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = CHALLENGE
    if retry_after is not None:
        response["Retry-After"] = str(max(1, round(retry_after)))
    return response


def as_problem(exc: Exception) -> Problem | None:
    """The problem an exception stands for; None for what nobody foresaw."""
    match exc:
        case Problem():
            return exc
        case drf.ValidationError():
            return _invalid(exc)
        case drf.APIException():
            return _worded(exc)
        case DatabaseError():
            return problem_for_database(exc)
        case UnicodeEncodeError(reason="surrogates not allowed"):
            return InvalidInput("A text contains half of a surrogate pair")
    return next((problem() for kind, problem in _OF_DJANGO.items() if isinstance(exc, kind)), None)


_OF_DJANGO: Final[dict[type[Exception], type[Problem]]] = {
    Http404: NotFound,
    PermissionDenied: ScopeMissing,
    RequestDataTooBig: BodyTooLarge,
    SuspiciousOperation: Problem,
}


_BY_STATUS: Final[dict[int, type[Problem]]] = {
    400: Problem,
    401: NotAuthenticated,
    403: ScopeMissing,
    404: NotFound,
    405: MethodNotAllowed,
    406: NotAcceptable,
    413: BodyTooLarge,
    415: UnsupportedMedia,
    422: InvalidInput,
    429: TooManyRequests,
    500: InternalError,
    503: Unavailable,
}


def problem_for_status(status: int, detail: str = "") -> Problem:
    """The problem that words a bare status."""
    kind = _BY_STATUS.get(status, InternalError if status >= 500 else Problem)
    return kind(detail or (status_title(status) if kind is Problem else ""))


def _worded(exc: drf.APIException) -> Problem:
    if isinstance(exc, drf.ParseError):
        return MalformedBody(str(exc.detail))
    return problem_for_status(exc.status_code, str(exc.detail))


def _invalid(exc: drf.ValidationError) -> InvalidInput:
    """The first fault as `detail` and `field`; `errors` lists them all when there are several."""
    faults = list(_faults(exc.detail, ""))
    field, detail = faults[0] if faults else ("", "")
    extra = {"errors": [{"field": path or None, "detail": text} for path, text in faults]} if len(faults) > 1 else {}
    return InvalidInput(detail, field=field or None, **extra)


def _faults(detail: Any, path: str) -> Iterator[tuple[str, str]]:
    """(JSON path, message) of each fault in DRF's nested detail."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = name == "non_field_errors"
            step = f"[{name}]" if isinstance(name, int) else f".{name}" if path else str(name)
            yield from _faults(inner, path if own else path + step)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            # A list of messages belongs to the field; a list of dicts is one per item.
            yield from _faults(inner, f"{path}[{index}]" if isinstance(inner, dict | list) else path)
    else:
        yield path, str(detail)
