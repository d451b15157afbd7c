"""Pages by keyset: ``{"data": [...], "next": url | null}``.

The cursor holds the ordering values of the last row shown, so a page costs the same wherever it is
in the list, and rows written meanwhile neither repeat nor hide others.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from kernel.errors import InvalidInput

if TYPE_CHECKING:  # DRF's views import the pagination class.
    from rest_framework.views import APIView

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200


class CursorPagination(BasePagination):
    """Pages a queryset by ``view.ordering``: field names, ``-`` for descending, unique taken together."""

    query_params: Final = frozenset({"limit", "cursor"})

    def paginate_queryset(  # type: ignore[override] # a keyset needs a queryset; DRF also passes lists
        self, queryset: QuerySet[Any], request: Request, view: "APIView | None" = None
    ) -> list[Any] | None:
        ordering: Sequence[str] = getattr(view, "ordering")  # noqa: B009 - declared by the view, unknown to APIView
        limit = read_limit(request.query_params.get("limit"))
        if cursor := request.query_params.get("cursor"):
            queryset = queryset.filter(_after(ordering, _decode(cursor, queryset.model, ordering)))
        rows = list(queryset.order_by(*ordering)[: limit + 1])
        self._next: str | None = None
        if len(rows) > limit:
            rows.pop()
            url = request.build_absolute_uri()
            self._next = replace_query_param(url, "cursor", _encode(rows[-1], ordering))
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"data": data, "next": self._next})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The page's shape, for the OpenAPI document."""
        following = {"type": ["string", "null"], "format": "uri", "description": "The next page; null: none."}
        return {"type": "object", "required": ["data", "next"], "properties": {"data": schema, "next": following}}

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        return [
            {"name": "limit", "in": "query", "schema": limit, "description": "How many to show."},
            {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": "From `next`; opaque."},
        ]


def read_limit(text: str | None) -> int:
    """The page size asked for. Raises InvalidInput outside 1 to 200."""
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT):
        raise InvalidInput(f"limit must be between 1 and {MAX_LIMIT}", field="limit")
    return int(text)


def _encode(row: Any, ordering: Sequence[str]) -> str:
    names = [field.lstrip("-") for field in ordering]
    values = [row[name] if isinstance(row, dict) else getattr(row, name) for name in names]
    return urlsafe_b64encode(msgspec.json.encode(values)).rstrip(b"=").decode()


def _decode(cursor: str, model: type[Model], ordering: Sequence[str]) -> list[Any]:
    try:
        values = msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        fields: list[Any] = [model._meta.get_field(name.lstrip("-")) for name in ordering]  # noqa: SLF001 - Django's documented API
        read = [field.to_python(value) for field, value in zip(fields, values, strict=True)]
    except (ValueError, TypeError, msgspec.MsgspecError, ValidationError, binascii.Error):
        raise InvalidInput("This is not a cursor this list gave out", field="cursor") from None
    if None in read or any("\0" in value for value in read if isinstance(value, str)):
        raise InvalidInput("This is not a cursor this list gave out", field="cursor")
    return read


def _after(ordering: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows behind `values`. The first field's bound stands alone so that an index can start there."""
    beyond, same = Q(), Q()
    for name, value in zip(ordering, values, strict=True):
        field, side = (name[1:], "lt") if name.startswith("-") else (name, "gt")
        beyond |= same & Q(**{f"{field}__{side}": value})
        same &= Q(**{field: value})
    first, side = (ordering[0][1:], "lte") if ordering[0].startswith("-") else (ordering[0], "gte")
    return Q(**{f"{first}__{side}": values[0]}) & beyond
