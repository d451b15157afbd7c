"""Staff make and revoke keys in the browser."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from access.keys import digest
from access.models import ApiKey
from access.services.api_keys import create_key
from tests.access.conftest import NOON

pytestmark = pytest.mark.django_db

LIST = "admin:access_apikey_changelist"


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


def test_the_token_is_shown_once(staff: Client) -> None:
    form = {"name": "backend", "scopes": ["check", "usage"]}
    page = staff.post(reverse("admin:access_apikey_add"), form, follow=True).content.decode()
    found = re.search(r"weir_sk_\w{8}_\w{43}", page)
    assert found
    key = ApiKey.objects.get()
    assert bytes(key.digest) == digest(found[0])
    assert key.scopes == ["check", "usage"]
    for again in (reverse(LIST), reverse("admin:access_apikey_change", args=[key.pk])):
        later = staff.get(again).content.decode()
        assert found[0] not in later
        assert key.digest.hex() not in later


def test_a_key_without_scopes_is_not_made(staff: Client) -> None:
    page = staff.post(reverse("admin:access_apikey_add"), {"name": "backend"}).content.decode()
    assert "This field is required" in page
    assert not ApiKey.objects.exists()


def test_selected_keys_are_revoked_and_none_can_be_deleted(staff: Client) -> None:
    first, _ = create_key("first", ["read"], NOON)
    second, _ = create_key("second", ["read"], NOON)
    staff.post(reverse(LIST), {"action": "revoke", "_selected_action": [first.pk]})
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.revoked_at
    assert second.revoked_at is None
    assert staff.post(reverse("admin:access_apikey_delete", args=[first.pk]), {"post": "yes"}).status_code == 403


def test_staff_are_made_and_changed_in_the_same_place(staff: Client) -> None:
    form = {
        "username": "bob",
        "usable_password": "true",
        "password1": "correct-horse-7",
        "password2": "correct-horse-7",
    }
    staff.post(reverse("admin:auth_user_add"), form)
    bob = User.objects.get(username="bob")
    for page in (reverse("admin:auth_user_changelist"), reverse("admin:auth_user_change", args=[bob.pk])):
        assert "bob" in staff.get(page).content.decode()
    assert staff.get(reverse("admin:auth_user_password_change", args=[bob.pk])).status_code == 200


def test_a_stored_key_cannot_be_changed(staff: Client) -> None:
    key, _ = create_key("first", ["read"], NOON)
    staff.post(reverse("admin:access_apikey_change", args=[key.pk]), {"name": "other", "scopes": ["admin"]})
    key.refresh_from_db()
    assert (key.name, key.scopes) == ("first", ["read"])
