"""What the OpenAPI document says of every DRF view: its scope, its query parameters, its problems."""

from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from access.problems import CONTENT_TYPE

METHODS: Final = frozenset({"get", "put", "post", "patch", "delete"})

SECURITY_SCHEME: Final = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "weir_sk_…",
    "description": "An API key with the scope the operation names. The admin scope implies all.",
}

PROBLEM_SCHEMA: Final = {
    "type": "object",
    "description": "RFC 9457 problem details. `code` is stable; /docs/problems lists every code, its cause and remedy.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "field": {"type": "string", "description": "JSON path of the input at fault, or the query parameter."},
        "request_id": {"type": "string"},
    },
    "additionalProperties": True,
}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells drf-spectacular how ApiKeyAuthentication is written down."""

    target_class = "access.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return dict(SECURITY_SCHEME)


class Schema(AutoSchema):
    """Adds what our views declare: the scope a method needs and the query parameters it takes."""

    def get_override_parameters(self) -> list[Any]:
        query = getattr(self.view, "query_serializer", None)
        return [query] if query is not None and self.method == "GET" else []

    def get_description(self) -> str:  # type: ignore[override] # as drf-spectacular has it
        scope = getattr(self.view, "required_scopes", {}).get(self.method)
        text = str(super().get_description() or "")
        return f"{text}\n\nScope: `{scope}`.".strip() if scope else text

    def get_summary(self) -> str | None:
        """The first sentence of the docstring: what browsers of the document show as the title."""
        text = " ".join(str(super().get_description() or "").split())
        return text.partition(". ")[0].rstrip(".") or None

    def get_tags(self) -> list[str]:
        return list(getattr(self.view, "tags", None) or super().get_tags())


def add_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Point every operation at the shared problem responses that can happen to it."""
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    responses = components.setdefault("responses", {})
    for path, methods in document.get("paths", {}).items():
        for method, operation in methods.items():
            if method not in METHODS:
                continue
            for status in _statuses(path, operation):
                responses.setdefault(f"Problem{status}", _response(HTTPStatus(status)))
                operation["responses"].setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
    return document


def _statuses(path: str, operation: dict[str, Any]) -> list[int]:
    statuses = [401, 403, 422, 503]
    if "{" in path:
        statuses.append(404)
    if "requestBody" in operation:
        statuses += [400, 409, 413, 415]
    return sorted(statuses)


def _response(status: HTTPStatus) -> dict[str, Any]:
    return {
        "description": status.phrase,
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
