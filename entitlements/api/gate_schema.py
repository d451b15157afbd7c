"""The gate's endpoints in the OpenAPI document.

The gate is not Django's, so drf-spectacular cannot see it. Its messages are msgspec Structs, and
msgspec writes their JSON Schema; here the two are joined.
"""

import re
from collections.abc import Iterable
from http import HTTPStatus
from inspect import cleandoc
from types import UnionType
from typing import Any, Final, get_args

import msgspec

from entitlements.api.gate_examples import ANSWERS, EXAMPLES
from entitlements.api.gate_problems import problem_responses
from entitlements.gate.messages import ENDPOINTS, Endpoint

TEMPLATE: Final = "#/components/schemas/{name}"
TAG: Final = "gate"
IDS: Final = {
    "holds": "`hold.id` of the check that holds.",
    "leases": "`hold.id` of the lease.",
    "runs": "`id` of the run.",
}
"""Where the {id} of a path comes from, by the path's first word."""

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_WORDS: Final = re.compile(r"\W+")


def add_gate(document: dict[str, Any], endpoints: Iterable[Endpoint] = ENDPOINTS) -> dict[str, Any]:
    """Add each endpoint's operation, and the schema of every Struct it speaks of.

    Raises ValueError when a Struct has the name of a component that is there already.
    """
    endpoints = list(endpoints)
    spoken = [
        part for each in endpoints for whole in (each.request, *each.responses.values()) for part in _parts(whole)
    ]
    _, components = msgspec.json.schema_components(spoken, ref_template=TEMPLATE)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    if clash := schemas.keys() & components.keys():
        raise ValueError(f"two messages are called {', '.join(sorted(clash))}")
    schemas.update(_in_ecma(components))
    paths = document.setdefault("paths", {})
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return document


def _in_ecma(schema: Any) -> Any:
    """Patterns as JSON Schema has them: Python's \\Z is its $, and \\Z there is the letter Z."""
    if isinstance(schema, dict):
        return {
            name: value.replace(r"\Z", "$") if name == "pattern" and isinstance(value, str) else _in_ecma(value)
            for name, value in schema.items()
        }
    return [_in_ecma(item) for item in schema] if isinstance(schema, list) else schema


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    description = "\n\n".join(cleandoc(part.__doc__ or "") for part in _parts(endpoint.request))
    operation: dict[str, Any] = {
        "operationId": f"{_WORDS.sub('_', endpoint.path.removeprefix('/v1/')).strip('_')}_{endpoint.method.lower()}",
        "summary": endpoint.summary,
        "description": f"{description}\n\nScope: `{endpoint.scope}`.".strip(),
        "tags": [TAG],
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "description": _whence(endpoint),
            }
            for name in _PARAMETER.findall(endpoint.path)
        ],
        "security": [{"apiKey": []}],
        "responses": {
            str(status): {
                "description": HTTPStatus(status).phrase,
                "content": _content(answer, ANSWERS.get((endpoint.path, status))),
            }
            for status, answer in endpoint.responses.items()
        }
        | problem_responses(endpoint.path),
    }
    if endpoint.request is not None:
        operation["requestBody"] = {
            "required": True,
            "content": _content(endpoint.request, EXAMPLES.get(endpoint.path)),
        }
    return operation


def _whence(endpoint: Endpoint) -> str:
    return IDS.get(endpoint.path.removeprefix("/v1/").partition("/")[0], "")


def _content(whole: Any, examples: dict[str, Any] | None = None) -> dict[str, Any]:
    """The schema of a body; `examples` are titles and bodies."""
    references = [{"$ref": TEMPLATE.format(name=part.__name__)} for part in _parts(whole)]
    content: dict[str, Any] = {"schema": references[0] if len(references) == 1 else {"anyOf": references}}
    if examples:
        named = enumerate(examples.items(), start=1)
        content["examples"] = {f"example{number}": {"summary": title, "value": body} for number, (title, body) in named}
    return {"application/json": content}


def _parts(whole: Any) -> tuple[Any, ...]:
    """The Structs of a union, the one Struct, or none. msgspec takes no union of untagged Structs."""
    if whole is None:
        return ()
    return get_args(whole) if isinstance(whole, UnionType) else (whole,)
