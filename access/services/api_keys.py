"""Making and revoking API keys."""

from collections.abc import Iterable
from datetime import datetime

from access import keys
from access.models import ApiKey, Scope
from kernel.errors import InvalidInput


def create_key(name: str, scopes: Iterable[str], now: datetime) -> tuple[ApiKey, str]:
    """Store a new key; returns it with its token, which exists nowhere else.

    Raises InvalidInput for an unknown scope or none.
    """
    known = set(Scope.values)
    chosen = sorted(set(scopes))
    if not chosen:
        raise InvalidInput("A key needs at least one scope", field="scopes")
    if unknown := [scope for scope in chosen if scope not in known]:
        raise InvalidInput(f"{unknown[0]!r} is not a scope; there are {', '.join(Scope.values)}", field="scopes")
    new = keys.generate()
    key = ApiKey.objects.create(name=name, prefix=new.prefix, digest=new.digest, scopes=chosen, created_at=now)
    return key, new.token


def revoke_key(key: ApiKey, now: datetime) -> ApiKey:
    """End a key at once, in every process. Revoking it again changes nothing."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
    key.refresh_from_db(fields=["revoked_at"])
    return key
