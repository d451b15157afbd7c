"""What a key may do: each view declares the scope each of its methods needs."""

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from access.key_cache import KeyInfo
from kernel.errors import NotAuthenticated, ScopeMissing

if TYPE_CHECKING:  # DRF's views import the permission classes.
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Grants what ``view.required_scopes`` (method → scope) asks for; a method not in it is refused."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        key: Any = request.auth
        if not isinstance(key, KeyInfo):
            raise NotAuthenticated("Send an API key: Authorization: Bearer weir_sk_…")
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method == "OPTIONS" or getattr(view, method.lower(), None) is None:
            return True  # There is nothing to protect: the answer will be 405.
        scope = getattr(view, "required_scopes", {}).get(method)
        if scope is None:
            raise ScopeMissing(f"{method} is not open to API keys here")
        if not key.may(scope):
            raise ScopeMissing(f"This needs the scope {scope!r}; {key.name} has {', '.join(sorted(key.scopes))}")
        return True
