"""Addresses of these pages as the customer's browser must know them."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from rest_framework.request import Request


def link_url(token: str, request: HttpRequest | Request) -> str:
    """The address that opens the pages. The token stands in the query, which our request log leaves out."""
    return public_url(f"{reverse('portal:enter')}?link={token}", request)


def public_url(path: str, request: HttpRequest | Request) -> str:
    """The path under PUBLIC_URL. Without one, under the host that was asked: right on one machine, and wherever the
    product's backend calls this service by the same name as browsers do."""
    if settings.PUBLIC_URL:
        return f"{settings.PUBLIC_URL.rstrip('/')}{path}"
    return str(request.build_absolute_uri(path))
