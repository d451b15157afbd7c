"""What every margin page has around it: the admin's frame, and the way to the other pages."""

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse

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


def page(
    request: HttpRequest, template: str, asked: Asked, context: Mapping[str, Any], section: str = ""
) -> HttpResponse:
    """The page, in the admin's frame; `section` is the one it is in."""
    around = {"asked": asked, "sections": _sections(asked, section)}
    return render(request, template, {**admin.site.each_context(request), **around, **context})


def _sections(asked: Asked, shown: str) -> list[tuple[str, str, bool]]:
    found = []
    for name, words in SECTIONS:
        try:
            url = reverse(f"margins:{name}")
        except NoReverseMatch:
            continue
        found.append((words, f"{url}?{asked.query}", name == shown))
    return found
