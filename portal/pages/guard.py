"""Who may look: a browser with a session of its own, bound to one customer. And what every page says to browsers."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from entitlements.models import Balance
from entitlements.services.accounts import opened_one
from kernel.clock import utc_now
from portal.models import PortalSession
from portal.pages.frame import framed
from portal.pages.request import Visit
from portal.services.sessions import session_of

COOKIE: Final = "weir_portal"

View = Callable[..., HttpResponse]


def portal_page(view: Callable[..., HttpResponse], *, methods: tuple[str, ...] = ("GET", "HEAD")) -> View:
    """A page of one customer's. The view gets a Visit; times on the page are in the customer's own zone.

    Whatever is due (expiries, renewals) happens first, as it would in a call of the API.
    """

    @wraps(view)
    def guarded(request: HttpRequest, **parts: Any) -> HttpResponse:
        now = utc_now()
        session = current_session(request)
        if session is None:
            return _lost(request)
        if request.method == "POST" and session.read_only:
            return message(request, "read_only", status=403, session=session)
        customer = session.customer
        if Balance.objects.filter(customer_id=customer.pk, valid_until__lte=now).exists():
            with opened_one(customer.key, now=now):
                pass
        with timezone.override(ZoneInfo(customer.time_zone)):
            try:
                return view(Visit(request, session, now), **parts)
            except Http404:
                return message(request, "not_found", status=404, session=session)

    return guarded_page(guarded, methods=methods)


def guarded_page(view: View, *, methods: tuple[str, ...] = ("GET", "HEAD")) -> View:
    """A page that is never stored, never framed, runs no script but our files, and tells no other site its address."""

    @wraps(view)
    def wrapped(request: HttpRequest, **parts: Any) -> HttpResponse:
        response = require_http_methods(list(methods))(view)(request, **parts)
        response["Cache-Control"] = "no-store, private"
        response["Referrer-Policy"] = "same-origin"
        response["Content-Security-Policy"] = content_security_policy()
        response["X-Robots-Tag"] = "noindex"
        return response

    return wrapped


def content_security_policy() -> str:
    """Our own files only. Forms also lead on to where payments are made: a browser holds the redirect against them."""
    targets = " ".join(("'self'", *settings.PORTAL_FORM_TARGETS))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            f"form-action {targets}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def current_session(request: HttpRequest) -> PortalSession | None:
    """The session of the browser that asks."""
    secret = request.COOKIES.get(COOKIE)
    return session_of(secret, utc_now()) if secret else None


def message(
    request: HttpRequest, name: str, *, status: int, session: PortalSession | None = None, return_url: str = ""
) -> HttpResponse:
    """A page that says one thing: what happened, and what to do now."""
    back = return_url or (session.return_url if session else "")
    context = {"name": name, "return_url": back, "visit_open": session is not None}
    return framed(request, "message.html", context, status=status)


def _lost(request: HttpRequest) -> HttpResponse:
    """No session, or no longer. A fragment asked for by a script makes its page load anew, and so come here."""
    response = message(request, "no_session", status=403)
    if getattr(request, "htmx", False):
        response["HX-Refresh"] = "true"
    return response
