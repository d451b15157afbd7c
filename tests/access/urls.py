"""Routes that fail in every way a view can, for the tests of what callers are told."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from access.fields import CreditsField, InstantField, MoneyField, TextField
from access.models import ApiKey
from access.pagination import CursorPagination
from access.views import ApiView, ListView, StrictSerializer
from kernel.errors import KeyReused
from tests.access.conftest import NOON


class Item(StrictSerializer):
    tokens = serializers.IntegerField(min_value=0)


class Body(StrictSerializer):
    name = TextField(max_length=10)
    credits = CreditsField(required=False)
    paid = MoneyField(required=False)
    at = InstantField(required=False)
    items = Item(many=True, required=False)


class Query(StrictSerializer):
    tag = TextField(required=False)


class Echo(ApiView):
    required_scopes = {"GET": "read", "POST": "usage", "PUT": "admin"}
    query_serializer = Query

    def get(self, request: Request) -> Response:
        return Response({"query": self.query})

    def post(self, request: Request) -> Response:
        body = self.read(Body, request)
        return Response({"name": body["name"]})

    def put(self, request: Request) -> Response:
        return Response(request.data)

    def delete(self, request: Request) -> Response:
        raise AssertionError("not declared, so never reached")


class Fails(ApiView):
    required_scopes = {"GET": "read"}

    def get(self, request: Request, how: str) -> Response:
        key = ApiKey.objects.get()
        new: dict[str, Any] = {
            "name": "b",
            "prefix": "weir_sk_x",
            "digest": b"x" * 32,
            "scopes": ["read"],
            "created_at": NOON,
        }
        if how in RAISES:
            raise RAISES[how]
        with transaction.atomic():
            ApiKey.objects.create(**new | ({"prefix": key.prefix} if how == "unique" else BAD_COLUMNS[how]))
        raise AssertionError(how)


RAISES = {
    "problem": KeyReused("key 'a' was used before", field="key", first_seen="2026-11-15T12:00:00Z"),
    "missing": Http404(),
    "denied": PermissionDenied(),
    "suspicious": SuspiciousOperation("who knows"),
    "throttled": Throttled(wait=12.3),
    "bug": ZeroDivisionError("secret detail"),
}

BAD_COLUMNS: dict[str, dict[str, Any]] = {
    "check": {"scopes": ["root"]},
    "null": {"name": None},
    "too_long": {"name": "b" * 101},
    "nul": {"name": "a\0b"},
    "surrogate": {"name": "a\ud800b"},
}


class KeySerializer(serializers.Serializer[ApiKey]):
    prefix = serializers.CharField()


class Keys(ListView):
    serializer_class = KeySerializer
    pagination_class = CursorPagination
    ordering = ("-created_at", "prefix")

    def get_queryset(self) -> Any:
        return ApiKey.objects.all()


def bare_bug(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("secret detail")


urlpatterns = [
    path("v1/echo", Echo.as_view()),
    path("v1/fails/<str:how>", Fails.as_view()),
    path("v1/keys", Keys.as_view()),
    path("v1/bare-bug", bare_bug),
    path("page/bare-bug", bare_bug),
    path("admin/", admin.site.urls),
]
