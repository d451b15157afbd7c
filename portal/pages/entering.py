"""Coming in by a link, and leaving."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.urls import reverse

from kernel.clock import utc_now
from portal.pages.frame import framed
from portal.pages.guard import COOKIE, current_session, guarded_page, message
from portal.services.sessions import (
    SESSION_LASTS,
    LinkExpired,
    LinkForged,
    LinkRefused,
    LinkUsed,
    end_session,
    look_up_link,
    open_link,
)


def _enter(request: HttpRequest) -> HttpResponse:
    """The link's address. To look at it opens nothing, because mail scanners and previews look; the form's POST does.

    A small script sends the form, so that people only see it where scripts are off.
    """
    token = request.POST.get("link", "") if request.method == "POST" else request.GET.get("link", "")
    try:
        if request.method != "POST":
            session = look_up_link(token, utc_now())
            return framed(request, "enter.html", {"link": token, "customer": session.customer})
        session, secret = open_link(token, utc_now())
    except LinkRefused as refusal:
        return _refused(request, refusal)
    former = current_session(request)
    if former is not None:
        end_session(former, utc_now())
    response = redirect("portal:overview")
    response.set_cookie(
        COOKIE,
        secret,
        max_age=SESSION_LASTS,
        path=reverse("portal:overview"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",  # the way back from the payment page is a link from another site
    )
    rotate_token(request)
    return response


def _refused(request: HttpRequest, refusal: LinkRefused) -> HttpResponse:
    named, current = refusal.session, current_session(request)
    if isinstance(refusal, LinkUsed) and named is not None and current is not None and named.pk == current.pk:
        return redirect("portal:overview")  # the browser that opened it came back to its address
    name, status = _REFUSALS[type(refusal)]
    return message(request, name, status=status, return_url=named.return_url if named else "")


_REFUSALS: Final[dict[type[LinkRefused], tuple[str, int]]] = {
    LinkForged: ("link_forged", 403),
    LinkExpired: ("link_expired", 410),
    LinkUsed: ("link_used", 410),
}


def _leave(request: HttpRequest) -> HttpResponse:
    session = current_session(request)
    if session is not None:
        end_session(session, utc_now())
    response = message(request, "left", status=200, return_url=session.return_url if session else "")
    response.delete_cookie(COOKIE, path=reverse("portal:overview"), samesite="Lax")
    return response


enter = guarded_page(_enter, methods=("GET", "HEAD", "POST"))
leave = guarded_page(_leave, methods=("POST",))
