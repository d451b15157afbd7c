"""What stands around every page."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

PAGES: Final = (
    ("portal:overview", "Overview"),
    ("portal:usage", "Usage"),
    ("portal:ledger", "Ledger"),
    ("portal:grants", "Credits"),
    ("portal:buy", "Buy"),
    ("portal:plan", "Plan"),
    ("portal:settings", "Auto top-up"),
    ("portal:invoices", "Invoices"),
)


def framed(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """One of our templates, with whose pages these are."""
    around = {"portal_name": settings.PORTAL_NAME, "pages": PAGES}
    return render(request, f"portal/{template}", around | context, status=status)
