"""The document the service publishes of itself is valid, complete, and says how to get in and what goes wrong."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
import yaml
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.validation import validate_schema
from rest_framework.views import APIView

from access.models import Scope
from access.openapi import METHODS
from config.docs_views import document
from entitlements.api.gate_examples import ANSWERS, EXAMPLES
from entitlements.gate.messages import ENDPOINTS, UsageBatch, UsageItem


def v1_views() -> Iterator[tuple[str, type[APIView]]]:
    """(path, view class) of every DRF route under /v1/."""

    def walk(patterns: list[Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
            elif isinstance(pattern, URLPattern):
                yield path, getattr(pattern.callback, "cls", None)

    for path, view in walk(get_resolver().url_patterns, "/"):
        if path.startswith("/v1/") and view is not None:
            yield path, view


VIEWS = list(v1_views())
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method} {path}")
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
    if method in METHODS
]


def methods_of(view: type[APIView]) -> set[str]:
    return {method for method in METHODS if hasattr(view, method)}


def test_the_document_is_valid_openapi() -> None:
    validate_schema(document())
    assert document()["openapi"].startswith("3.1")


def test_every_reference_leads_somewhere() -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    for reference in set(references(document())):
        _, kind, group, name = reference.split("/")
        assert name in document()[kind][group], reference


@pytest.mark.parametrize(("path", "view"), VIEWS)
def test_every_route_is_in_the_document(path: str, view: type[APIView]) -> None:
    shown = path.replace("<str:", "{").replace("<int:", "{").replace("<uuid:", "{").replace(">", "}")
    assert methods_of(view) == set(document()["paths"][shown]) & METHODS


@pytest.mark.parametrize(("path", "view"), VIEWS)
def test_every_method_declares_the_scope_it_needs(path: str, view: type[APIView]) -> None:
    declared = getattr(view, "required_scopes", {})
    assert {method.lower() for method in declared} == methods_of(view)
    assert set(declared.values()) <= set(Scope.values)


def test_the_gates_endpoints_are_in_it_too() -> None:
    for endpoint in ENDPOINTS:
        operation = document()["paths"][endpoint.path][endpoint.method.lower()]
        assert f"Scope: `{endpoint.scope}`." in operation["description"]
        assert {str(status) for status in endpoint.responses} <= set(operation["responses"])


GATE_BODIES = [
    pytest.param(endpoint.request, body, id=f"{endpoint.path}: {title}")
    for endpoint in ENDPOINTS
    for title, body in EXAMPLES.get(endpoint.path, {}).items()
] + [
    pytest.param(endpoint.responses[status], body, id=f"{endpoint.path} {status}: {title}")
    for endpoint in ENDPOINTS
    for (path, status), bodies in ANSWERS.items()
    for title, body in bodies.items()
    if path == endpoint.path
]


@pytest.mark.parametrize(("message", "body"), GATE_BODIES)
def test_the_bodies_it_shows_are_what_the_gate_speaks(message: Any, body: dict[str, Any]) -> None:
    """Unknown names would be ignored in an answer, so what is understood must say all that was written."""
    batch = UsageBatch if "events" in body and message == UsageItem | UsageBatch else None
    shapes = [batch] if batch else [part for part in get_args(message) or (message,) if part is not UsageBatch]
    assert covers(msgspec.to_builtins(msgspec.convert(body, shapes[0])), body)


def covers(understood: Any, written: Any) -> bool:
    """Whether everything written is understood as it stands."""
    if isinstance(written, dict):
        return all(name in understood and covers(understood[name], value) for name, value in written.items())
    if isinstance(written, list):
        return len(understood) == len(written) and all(map(covers, understood, written))
    return bool(understood == written)


def test_patterns_mean_the_same_in_every_language() -> None:
    """ECMAScript, whose patterns JSON Schema uses, reads Python's end of text as the letter Z."""
    assert r"\Z" not in str(document())


def test_every_body_the_gate_takes_has_an_example() -> None:
    assert {endpoint.path for endpoint in ENDPOINTS if endpoint.request is not None} == set(EXAMPLES)


def test_every_group_of_operations_is_introduced_and_the_gate_comes_first() -> None:
    used = {tag for parameter in OPERATIONS for tag in parameter.values[2]["tags"]}
    introduced = [tag["name"] for tag in document()["tags"]]
    assert set(introduced) == used
    assert introduced[0] == "gate"


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_says_how_to_get_in_and_what_can_go_wrong(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["security"] == [{"apiKey": []}]
    assert operation["summary"]
    assert "Scope: `" in operation["description"]
    problems = {"401", "403", "422", "503"}
    problems |= {"404"} if "{" in path else set()
    problems |= {"400", "409", "413", "415"} if "requestBody" in operation else set()
    for status in problems:
        response = operation["responses"][status]
        if "$ref" in response:
            response = document()["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        schema = response["content"]["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Problem"}


def test_operation_ids_are_unique() -> None:
    ids = [parameter.values[2]["operationId"] for parameter in OPERATIONS]
    assert len(ids) == len(set(ids))


def test_json_and_yaml_say_the_same_to_anyone() -> None:
    as_json, as_yaml = Client().get("/v1/openapi.json"), Client().get("/v1/openapi.yaml")
    assert as_json["Content-Type"] == "application/json"
    assert as_json.json() == yaml.safe_load(as_yaml.content)
    assert as_json.json()["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/docs/", "/docs/redoc/"])
def test_the_browsable_documentation_loads_nothing_from_elsewhere(path: str) -> None:
    page = Client().get(path).content.decode()
    assert "/v1/openapi.json" in page
    assert "https://" not in page
