"""Actions of the admin that ask something first, and call a service with the answer."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from kernel.errors import Problem


def carry_out(request: HttpRequest, service: Callable[[], Any], *, done: str) -> HttpResponse:
    """Call a service and go back to the page with what came of it: a refusal is told, not raised."""
    try:
        service()
    except Problem as problem:
        messages.error(request, f"{problem.title}: {problem.detail}")
    else:
        messages.success(request, done)
    # …/<id>/<action>/ was sent by htmx, which follows this header and closes the dialog.
    return HttpResponse(headers={"HX-Redirect": request.path.rsplit("/", 2)[0] + "/change/"})
