"""The documentation the service shows of itself: the OpenAPI document, its browsers, and the problem codes."""

import json
import re
from functools import cache
from typing import Any, Final, NamedTuple

import yaml
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.settings import patched_settings
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView

from access.openapi import add_problems
from entitlements.api.gate_schema import add_gate

OAS_VERSION: Final = "3.1.0"
"""The first version whose schemas are JSON Schema, which is what msgspec writes."""


TAGS: Final = (
    ("gate", "Before and after each AI call: may it happen, hold its credits, report what it used; leases and runs"),
    ("runs", "Agents' runs, their budgets and what they took"),
    ("holds", "Credits set aside"),
    ("decisions", "What was decided, and from what"),
    ("customers", "Customers: their balance, grants, ledger, entitlements, subscription and usage"),
    ("money in", "Top-ups, subscriptions at Stripe, invoices and overage: what customers pay"),
    ("margins", "What is earned and what it costs, by customer, plan, feature, model and day"),
    ("simulations", "What if: real usage replayed under another plan, other rates, costs or models"),
    ("insights", "Who holds the cost, why it changed, what was saved and would have been, what is left to do"),
    ("catalogue", "Everything on sale in one answer, and what an action would cost"),
    ("webhooks", "Where your product is told what happens, and whether it heard"),
    ("plans", "Plans on sale"),
    ("top-up-packs", "Credits to buy"),
)
"""Groups of operations in the order browsers of the document show them: what is called most comes first."""


class WeirSchemaGenerator(SchemaGenerator):
    """Every DRF view, and the gate's endpoints, which are not Django's, in one document."""

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        made = add_problems(add_gate(super().get_schema(request, public)))  # type: ignore[no-untyped-call]
        return made | {"tags": _described_tags(made)}


def _described_tags(made: dict[str, Any]) -> list[dict[str, str]]:
    operations = [each for methods in made["paths"].values() for each in methods.values() if "tags" in each]
    used = {tag for each in operations for tag in each["tags"]}
    return [{"name": name, "description": about} for name, about in TAGS if name in used]


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document. It depends on the code alone, so it is made once."""
    with patched_settings({"OAS_VERSION": OAS_VERSION}):
        return WeirSchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]


@require_safe
def openapi_json(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """GET /v1/openapi.json"""
    return HttpResponse(_as_json(), content_type="application/json")


@require_safe
def openapi_yaml(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """GET /v1/openapi.yaml"""
    return HttpResponse(_as_yaml(), content_type="application/yaml")


@cache
def _as_json() -> bytes:
    rendered: bytes = OpenApiJsonRenderer().render(document())
    return rendered


@cache
def _as_yaml() -> str:
    """Through JSON, so that what the two formats say cannot differ."""
    return str(yaml.safe_dump(json.loads(_as_json()), sort_keys=False, allow_unicode=True))


swagger = SpectacularSwaggerView.as_view(url=reverse_lazy("openapi"))
redoc = SpectacularRedocView.as_view(url=reverse_lazy("openapi"), template_name="access/redoc.html")


class ProblemEntry(NamedTuple):
    """A code's place in docs/problems.md; `cause` and `remedy` are HTML."""

    code: str
    status: int
    title: str
    cause: str
    remedy: str


_ENTRY: Final = re.compile(
    r"^## (?P<code>\w+) · (?P<status>\d{3})\n(?P<title>.+)\n\n"
    r"\*\*Cause\.\*\* (?P<cause>.+)\n\n\*\*Remedy\.\*\* (?P<remedy>.+)$",
    re.MULTILINE,
)


@cache
def problem_entries() -> list[ProblemEntry]:
    """The entries of docs/problems.md, in its order."""
    text = (settings.BASE_DIR / "docs" / "problems.md").read_text()
    return [
        ProblemEntry(m["code"], int(m["status"]), m["title"], _html(m["cause"]), _html(m["remedy"]))
        for m in _ENTRY.finditer(text)
    ]


def _html(text: str) -> str:
    """The text with its `code` marked up; the page's markdown needs no more."""
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))  # noqa: S308 - escaped first


@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """GET /docs/problems: where a problem's `type` points."""
    return render(request, "access/problems.html", {"entries": problem_entries()})
