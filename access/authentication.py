"""Who is calling the API: a bearer key, or a member of staff looking at the pages."""

from typing import Final

from django.contrib.auth import get_user
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import connection
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from access.key_cache import KeyInfo, current_ring
from access.keys import CHALLENGE
from access.last_used import flush_last_used, is_due
from access.models import Scope
from kernel.clock import utc_now

STAFF: Final = KeyInfo(0, "staff", "session", frozenset({Scope.READ.value}))
"""What a signed-in member of staff may do here. Reading only, so no CSRF token is needed."""


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer weir_sk_…``; without the header, a staff session may read.

    The request's `user` and `auth` are both the KeyInfo: what may be done is the key's matter.
    """

    def authenticate(self, request: Request) -> tuple[KeyInfo, KeyInfo] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return (STAFF, STAFF) if _is_staff(request) else None
        with connection.cursor() as cursor:
            key = current_ring(cursor).authenticate(header)
            if is_due(now := utc_now()):
                flush_last_used(cursor, now)
        return key, key

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


def _is_staff(request: Request) -> bool:
    user: AbstractBaseUser | AnonymousUser = get_user(request)
    return user.is_active and getattr(user, "is_staff", False)
