"""Stripe's published OpenAPI document, and whether a request or an answer keeps to it.

Form values are text, so they are first read as the type their schema asks for. Every object is closed: a field
the document does not name is an error, at any depth.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from sandbox.errors import Obj
from sandbox.params import Tree

WHERE = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "stripe" / "spec3.json.gz"
"""Where the document lies in a workplace; it is not part of a clone."""

_FORM = "application/x-www-form-urlencoded"
_NAME = "urn:stripe"


class Specification:
    """The document: its version, and the operations in it."""

    def __init__(self, document: Obj) -> None:
        self.version: str = document["info"]["version"]
        self._document = document
        resource: Resource[Any] = Resource.from_contents(document, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(_NAME, resource)
        self._templates = [(_pattern(template), template) for template in sorted(document["paths"], key=_vagueness)]
        self._operations: dict[tuple[str, str], Operation] = {}

    @classmethod
    def load(cls, path: Path = WHERE) -> "Specification | None":
        """The document at this path; None where there is none."""
        if not path.exists():
            return None
        with gzip.open(path) as file:
            return cls(json.load(file))

    def operation(self, method: str, path: str) -> "Operation | None":
        """What the document says about this method on this path, if anything."""
        for pattern, template in self._templates:
            if pattern.fullmatch(path) and method.lower() in self._document["paths"][template]:
                key = (method.lower(), template)
                if key not in self._operations:
                    self._operations[key] = Operation(self, self._document["paths"][template][method.lower()])
                return self._operations[key]
        return None

    def resolve(self, schema: Obj) -> Obj:
        """The schema itself, behind any reference."""
        while "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def validator(self, schema: Obj) -> Any:
        """Checks values against a schema whose references start from the document (see `_anchored`)."""
        return _Validator(schema, registry=self._registry)

    def errors(self, value: Any, name: str) -> list[str]:
        """What is wrong with an object that should be of this kind: ``customer``, ``checkout.session``."""
        return _errors(self.validator({"$ref": f"{_NAME}#/components/schemas/{name}"}), value)


class Operation:
    """One method of one path."""

    def __init__(self, specification: Specification, described: Obj) -> None:
        self._specification = specification
        self._request = _anchored(_request_schema(described))
        self._request_validator = specification.validator(self._request)
        answer = described["responses"]["200"]["content"]["application/json"]["schema"]
        self._answer_validator = specification.validator(_anchored(answer))

    def problems(self, tree: Tree) -> list[str]:
        """What is wrong with a request's parameters; empty where nothing is."""
        return _errors(self._request_validator, _typed(tree, self._request, self._specification))

    def problems_of_answer(self, body: Obj) -> list[str]:
        """What is wrong with our own answer to a request that went well; empty where nothing is."""
        return _errors(self._answer_validator, body)


def _errors(validator: Any, value: Any) -> list[str]:
    """Each with its place; the likeliest reading where several were possible."""
    return [_told(best_match([error]) or error) for error in validator.iter_errors(value)]


def _request_schema(described: Obj) -> Obj:
    """Query parameters and form fields as one closed object: the SDK sends a DELETE's fields in the query."""
    form = described.get("requestBody", {}).get("content", {}).get(_FORM, {}).get("schema", {})
    query = [parameter for parameter in described.get("parameters", []) if parameter["in"] == "query"]
    return {
        "type": "object",
        "properties": form.get("properties", {}) | {one["name"]: one["schema"] for one in query},
        "required": [*form.get("required", []), *(one["name"] for one in query if one.get("required"))],
    }


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}|\{\w+\}", "[^/]+", template.replace(".", r"\.")))


def _vagueness(template: str) -> tuple[int, str]:
    """Literal paths before those with parameters: ``/v1/invoices/search`` is no invoice."""
    return template.count("{"), template


def _typed(value: Any, schema: Obj, specification: Specification) -> Any:
    """The text as the schema's type where it can be read so; untouched where it cannot, for the validator to tell."""
    schema = specification.resolve(schema)
    if "anyOf" in schema:
        readings = [(branch, _typed(value, branch, specification)) for branch in schema["anyOf"]]
        fitting = [reading for branch, reading in readings if specification.validator(branch).is_valid(reading)]
        shaped = [reading for _, reading in readings if not isinstance(reading, str)]
        return (fitting or shaped or [value])[0]
    if isinstance(value, str):
        return _scalar(value, schema)
    if schema.get("type") == "array":
        return [_typed(item, schema["items"], specification) for item in value.values()]
    fields, others = schema.get("properties", {}), schema.get("additionalProperties")
    if isinstance(others, dict):
        return {name: _typed(item, others, specification) for name, item in value.items()}
    return {name: _typed(item, fields.get(name, {}), specification) for name, item in value.items()}


def _scalar(value: str, schema: Obj) -> Any:
    kind = schema.get("type")
    if kind == "integer" and re.fullmatch(r"-?\d{1,18}", value):
        return int(value)
    if kind == "number" and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return float(value)
    if kind == "boolean" and value in {"true", "false"}:
        return value == "true"
    if kind == "array" and not value:
        return []  # how the SDK writes an empty list
    return value


def _anchored(value: Any) -> Any:
    """The schema with its references starting from the document, since it is checked from outside of it."""
    if isinstance(value, dict):
        return {
            key: _NAME + item if key == "$ref" and isinstance(item, str) and item.startswith("#") else _anchored(item)
            for key, item in value.items()
        }
    return [_anchored(item) for item in value] if isinstance(value, list) else value


def _told(error: ValidationError) -> str:
    place = "".join(f"[{step}]" if index else str(step) for index, step in enumerate(error.absolute_path))
    return f"{place}: {error.message}"[:400] if place else error.message[:400]


_Keyword = Callable[[Any, Any, Any, Obj], Iterator[ValidationError]]


def _or_null(keyword: _Keyword) -> _Keyword:
    """OpenAPI 3.0's ``nullable``, which JSON Schema does not know."""

    def check(validator: Any, argument: Any, value: Any, schema: Obj) -> Iterator[ValidationError]:
        if not (value is None and schema.get("nullable")):
            yield from keyword(validator, argument, value, schema) or ()

    return check


def _closed(validator: Any, fields: Any, value: Any, schema: Obj) -> Iterator[ValidationError]:
    yield from _known["properties"](validator, fields, value, schema) or ()
    if isinstance(value, dict) and "additionalProperties" not in schema:
        for name in value:
            if name not in fields:
                yield ValidationError(f"{name!r} is unknown here", validator="closed")


_known: dict[str, Any] = dict(Draft202012Validator.VALIDATORS)
_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {name: _or_null(_known[name]) for name in ("type", "enum", "anyOf", "oneOf", "allOf", "$ref")}
    | {"properties": _closed},
)
