"""The base of every DRF view: strict bodies, known query parameters, declared scopes."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import Schema
from access.parsers import JsonParser
from kernel.errors import InvalidInput


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses members it does not know: a misspelt optional member must not be silently dropped."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            if unknown := sorted(set(data) - known):
                raise serializers.ValidationError({unknown[0]: ["is not a member of this body"]})
        return super().to_internal_value(data)


class ApiView(APIView):
    """A view of the API.

    `required_scopes` says which scope each method needs; `query_serializer` which query parameters
    GET takes (none unless declared). An unknown or repeated parameter is refused by name, because a
    misspelt filter that filters nothing shows the wrong data.
    """

    required_scopes: ClassVar[Mapping[str, str]] = {}
    query_serializer: ClassVar[type[serializers.Serializer[Any]] | None] = None
    parser_classes = [JsonParser]
    metadata_class = None
    schema = Schema()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.query = self._read_query(request)

    def _read_query(self, request: Request) -> dict[str, Any]:
        """The validated query parameters; those left out take their serializer's default."""
        serializer_class = self.query_serializer if request.method in {"GET", "HEAD"} else None
        fields = serializer_class().fields if serializer_class else {}
        paging: frozenset[str] = getattr(getattr(self, "pagination_class", None), "query_params", frozenset())
        for name, values in request.query_params.lists():
            if name not in fields and name not in paging:
                raise InvalidInput("is not a query parameter here", field=name)
            if len(values) > 1:
                raise InvalidInput("is given more than once", field=name)
        if serializer_class is None:
            return {}
        given = {name: value for name, value in request.query_params.items() if name in fields}
        serializer = serializer_class(data=given)
        serializer.is_valid(raise_exception=True)
        validated: dict[str, Any] = serializer.validated_data
        return validated

    def read(self, serializer_class: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
        """The request's body, validated. Raises DRF's ValidationError, answered as invalid_input."""
        serializer = serializer_class(data=request.data)
        serializer.is_valid(raise_exception=True)
        validated: dict[str, Any] = serializer.validated_data
        return validated


class ListView(ApiView, ListAPIView[Any]):
    """A paged list: give it `get_queryset`, `serializer_class` and `ordering` (unique taken together)."""

    required_scopes = {"GET": "read"}
    ordering: ClassVar[tuple[str, ...]]

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list(request, *args, **kwargs)
