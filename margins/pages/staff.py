"""Who may look."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

View = Callable[..., HttpResponse]


def staff_page(view: View) -> View:
    """A page for signed-in staff; others are sent to sign in. Only read, never cached."""
    guarded: Any = staff_member_required(view, login_url="admin:login")
    return cast("View", never_cache(require_safe(guarded)))
