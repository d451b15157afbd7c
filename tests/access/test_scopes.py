"""Who may do what, over HTTP."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import ApiKey
from access.services.api_keys import revoke_key
from kernel.clock import utc_now
from tests.access.test_problems import problem

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.access.urls")]

Make = Callable[..., Client]


def post(client: Client) -> int:
    return client.post("/v1/echo", {"name": "a"}, content_type="application/json").status_code


def test_without_a_key_the_answer_says_how_to_send_one() -> None:
    response = Client().get("/v1/echo")
    assert problem(response)["code"] == "not_authenticated"
    assert response["WWW-Authenticate"] == 'Bearer realm="weir"'


@pytest.mark.parametrize("header", ["Bearer weir_sk_unknown", "Basic dTpw", "Bearer \u00e9", "nonsense"])
def test_a_wrong_key_is_401_with_the_challenge(header: str) -> None:
    response = Client().get("/v1/echo", headers={"authorization": header})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="weir"'


def test_each_method_needs_its_own_scope(client_with: Make) -> None:
    reader, reporter = client_with("read"), client_with("usage")
    assert (reader.get("/v1/echo").status_code, post(reader)) == (200, 403)
    assert (reporter.get("/v1/echo").status_code, post(reporter)) == (403, 200)
    assert reader.head("/v1/echo").status_code == 200
    body = problem(reporter.get("/v1/echo"))
    assert body["code"] == "scope_missing"
    assert "'read'" in body["detail"]


def test_admin_has_every_scope(client_with: Make) -> None:
    admin = client_with("admin")
    assert (admin.get("/v1/echo").status_code, post(admin)) == (200, 200)


def test_a_method_no_scope_was_declared_for_is_closed_even_to_admin(client_with: Make) -> None:
    assert client_with("admin").delete("/v1/echo").status_code == 403


def test_a_revoked_key_stops_at_once(client_with: Make) -> None:
    client = client_with("read")
    assert client.get("/v1/echo").status_code == 200
    revoke_key(ApiKey.objects.get(), utc_now())
    assert problem(client.get("/v1/echo"))["code"] == "not_authenticated"


def test_using_a_key_is_remembered(client_with: Make) -> None:
    client_with("read").get("/v1/echo")
    assert ApiKey.objects.get().last_used_at is not None


def test_staff_who_are_signed_in_may_read_and_no_more() -> None:
    staff, customer = Client(), Client()
    staff.force_login(User.objects.create_user("ada", is_staff=True))
    customer.force_login(User.objects.create_user("bob"))
    assert staff.get("/v1/echo").status_code == 200
    assert staff.put("/v1/echo", {}, content_type="application/json").status_code == 403
    assert customer.get("/v1/echo").status_code == 401


def test_a_wrong_key_is_not_covered_up_by_a_session() -> None:
    staff = Client(headers={"authorization": "Bearer weir_sk_wrong"})
    staff.force_login(User.objects.create_user("ada", is_staff=True))
    assert staff.get("/v1/echo").status_code == 401
