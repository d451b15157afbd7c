"""Running a service from the admin: what it says becomes a message, and nobody sees a 500 for a refusal."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.forms import BaseDialogForm

from kernel.errors import Problem

Made = TypeVar("Made")


def attempt(request: HttpRequest, service: Callable[[], Made], success: str) -> Made | None:
    """Run a service and tell what came of it. `success` may hold ``{}`` for what was made."""
    try:
        made = service()
    except Problem as problem:
        for detail in (problem.detail, *(other["detail"] for other in problem.extra.get("also", ()))):
            messages.error(request, f"{problem.title}. {detail}" if detail == problem.detail else detail)
        return None
    messages.success(request, success.format(made))
    return made


def existing(admin: Any, request: HttpRequest, object_id: str) -> Any:
    """The row an action's address names. Raises Http404."""
    row = admin.get_object(request, object_id)
    if row is None:
        raise Http404
    return row


def go(request: HttpRequest, url: str) -> HttpResponse:
    """On to another page, from an ordinary form or from a dialog (which HTMX posts)."""
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def dialog(title: str, description: str, submit: str, form: type[BaseDialogForm] | None = None) -> dict[str, Any]:
    """A confirmation: a link alone must not change what is sold."""
    return {"title": title, "description": description, "form_class": form, "form_submit_text": submit}
