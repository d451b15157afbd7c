"""A key's life in the database: made, used, revoked."""

from datetime import timedelta

import pytest
from django.db import connection

from access.key_cache import current_ring
from access.last_used import flush_last_used, is_due, touch
from access.models import ApiKey
from access.services.api_keys import create_key, revoke_key
from kernel.errors import InvalidInput, NotAuthenticated
from tests.access.conftest import NOON

pytestmark = pytest.mark.django_db


def test_the_token_is_stored_nowhere() -> None:
    key, token = create_key("backend", ["usage", "check", "usage"], NOON)
    stored = ApiKey.objects.filter(pk=key.pk).values().get()
    secret = token.rsplit("_", 1)[1]
    assert secret not in str({name: bytes(value) if name == "digest" else value for name, value in stored.items()})
    assert stored["prefix"] == token[:16]
    assert stored["scopes"] == ["check", "usage"]


@pytest.mark.parametrize("scopes", [[], ["root"], ["read", "Admin"]])
def test_a_key_needs_scopes_that_exist(scopes: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        create_key("backend", scopes, NOON)
    assert refusal.value.field == "scopes"


def test_a_new_key_works_and_a_revoked_one_stops_at_once() -> None:
    key, token = create_key("backend", ["read"], NOON)
    with connection.cursor() as cursor:
        before = current_ring(cursor)
        assert before.authenticate(f"Bearer {token}").id == key.pk
        assert current_ring(cursor) is before, "an unmoved revision reads nothing anew"
        revoke_key(key, NOON)
        with pytest.raises(NotAuthenticated):
            current_ring(cursor).authenticate(f"Bearer {token}")


def test_revoking_twice_keeps_the_first_time() -> None:
    key, _ = create_key("backend", ["read"], NOON)
    revoke_key(key, NOON)
    again = revoke_key(key, NOON + timedelta(days=1))
    assert again.revoked_at == NOON


def test_last_used_is_written_to_the_minute_and_not_twice_in_it() -> None:
    key, _ = create_key("backend", ["read"], NOON)
    with connection.cursor() as cursor:
        touch(key.pk)
        assert is_due(NOON)
        assert flush_last_used(cursor, NOON + timedelta(seconds=42)) == 1
        key.refresh_from_db()
        assert key.last_used_at == NOON

        touch(key.pk)
        assert not is_due(NOON + timedelta(seconds=59))
        later = NOON + timedelta(minutes=2, seconds=5)
        assert is_due(later)
        flush_last_used(cursor, later)
        key.refresh_from_db()
        assert key.last_used_at == NOON + timedelta(minutes=2)
        assert not is_due(later + timedelta(hours=1)), "nothing was used since"


def test_noting_a_use_does_not_make_every_process_reload() -> None:
    key, _ = create_key("backend", ["read"], NOON)
    with connection.cursor() as cursor:
        before = current_ring(cursor).revision
        touch(key.pk)
        flush_last_used(cursor, NOON)
        assert current_ring(cursor).revision == before
