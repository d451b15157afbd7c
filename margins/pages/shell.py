"""What every margin page has around it: the admin's frame, and the way to the other pages."""

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from unfold.sites import UnfoldAdminSite

from margins.pages.request import Asked

SECTIONS: Final = (
    ("overview", "Overview"),
    ("bridge", "Why cost changed"),
    ("people", "People"),
    ("features", "Features"),
    ("savings", "Savings"),
    ("runs", "Runs"),
    ("checklist", "Resilience"),
    ("simulations", "Simulations"),
    ("report", "Board report"),
)
"""Pages by the name of their route, in the order of the navigation."""


class _Frame(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    """The admin's frame without the list of all its models: the sidebar names our own, and making it takes 4 ms."""

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Nothing, since nothing of it is shown."""
        return []


_frame: Final = _Frame(name="admin")


def page(
    request: HttpRequest, template: str, asked: Asked, context: Mapping[str, Any], section: str = ""
) -> HttpResponse:
    """The page, in the admin's frame; `section` is the one it is in."""
    around = {"asked": asked, "sections": _sections(asked, section)}
    return render(request, template, {**_frame.each_context(request), **around, **context})


def _sections(asked: Asked, shown: str) -> list[tuple[str, str, bool]]:
    found = []
    for name, words in SECTIONS:
        try:
            url = reverse(f"margins:{name}")
        except NoReverseMatch:
            continue
        found.append((words, f"{url}?{asked.query}", name == shown))
    return found
