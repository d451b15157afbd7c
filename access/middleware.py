"""Around every request Django serves: an id, one log line, and no HTML from the API."""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from access.context import request_id_from
from access.key_cache import KeyInfo
from access.problems import CONTENT_TYPE, problem_for_status, problem_http
from kernel.errors import BodyTooLarge, Problem

API_PREFIX: Final = "/v1/"
QUIET: Final = frozenset({"/healthz", "/readyz"})

log = structlog.get_logger("weir.request")


class RequestLogMiddleware:
    """Names the request (its own X-Request-Id if plain, else a new one), echoes the name and logs one line.

    Every line logged meanwhile carries `request_id`. Under /v1/ an error page of Django's (no such
    route, a bug, a refused host) becomes a problem, with DEBUG on or off.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        request_id = request_id_from(request.headers.get("X-Request-Id"))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            refused = _measured(request)
            response = self.get_response(request) if refused is None else problem_http(refused)
            if f"{request.path}/".startswith(API_PREFIX):
                _reword(response)
            response["X-Request-Id"] = request_id
            write = log.debug if request.path in QUIET else log.info
            write(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000, 2),
                **_caller(request),
            )
            return response
        finally:
            structlog.contextvars.clear_contextvars()


def _measured(request: HttpRequest) -> Problem | None:
    """Give a chunked body, whose length nobody stated, the length it has; refuse it when that is too much.

    DRF takes a request without Content-Length for one without a body.
    """
    if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
        return None
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    body = request.read(most + 1)
    if len(body) > most:
        return BodyTooLarge(f"the body is limited to {most} bytes")
    request._body = body  # noqa: SLF001 - where Django keeps a body it has read
    request.META["CONTENT_LENGTH"] = str(len(body))
    return None


def _reword(response: HttpResponseBase) -> None:
    """Put a problem into an error page. In place, because Django has marked the response as logged."""
    if not isinstance(response, HttpResponse) or response.status_code < 400:
        return
    if not response.get("Content-Type", "").startswith(CONTENT_TYPE):
        problem = problem_http(problem_for_status(response.status_code))
        response.content = problem.content
        response["Content-Type"] = CONTENT_TYPE
        response["Content-Length"] = str(len(problem.content))  # Django has already stated the page's


def _caller(request: HttpRequest) -> dict[str, Any]:
    key = getattr(request, "auth", None)
    return {"key": key.prefix, "key_name": key.name} if isinstance(key, KeyInfo) else {}
