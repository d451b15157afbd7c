"""Authenticating against the ring: pure, no database."""

import pytest

from access import last_used
from access.key_cache import KeyInfo, KeyRing
from access.keys import generate
from kernel.errors import NotAuthenticated

NEW = generate()
RING = KeyRing.from_rows([(7, memoryview(NEW.digest), 3, "backend", NEW.prefix, ["check", "usage"])])


def test_the_right_token_gives_its_key_and_is_noted_as_used() -> None:
    last_used.take()
    key = RING.authenticate(f"Bearer {NEW.token}")
    assert key == KeyInfo(3, "backend", NEW.prefix, frozenset({"check", "usage"}))
    assert list(last_used.take()) == [3]


def test_the_scheme_is_matched_without_case() -> None:
    assert RING.authenticate(f"bearer {NEW.token}").id == 3


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("", "Send an API key"),
        ("Basic dXNlcjpwYXNz", "must be: Bearer"),
        (NEW.token, "must be: Bearer"),
        ("Bearer", "unknown"),
        ("Bearer ", "unknown"),
        (f"Bearer {NEW.prefix}", "unknown"),
        (f"Bearer {NEW.token[:-1]}", "unknown"),
        (f"Bearer {generate().token}", "unknown"),
        ("Bearer \udcff", "unknown"),
    ],
    # Named, because parallel workers must collect the same names and the tokens are random.
    ids=["nothing", "basic", "bare token", "no token", "empty token", "prefix", "cut short", "another's", "not text"],
)
def test_anything_else_is_refused(header: str, says: str) -> None:
    with pytest.raises(NotAuthenticated, match=says):
        RING.authenticate(header)


def test_a_ring_without_keys_still_knows_its_revision() -> None:
    ring = KeyRing.from_rows([(41, None, None, None, None, None)])
    assert ring.revision == 41
    with pytest.raises(NotAuthenticated):
        ring.authenticate(f"Bearer {NEW.token}")


def test_admin_may_everything_and_others_only_what_they_were_given() -> None:
    admin = KeyInfo(1, "ops", "weir_sk_aaaaaaaa", frozenset({"admin"}))
    reader = KeyInfo(2, "bi", "weir_sk_bbbbbbbb", frozenset({"read"}))
    assert [admin.may(scope) for scope in ("check", "usage", "read", "admin")] == [True] * 4
    assert [reader.may(scope) for scope in ("check", "usage", "read", "admin")] == [False, False, True, False]
