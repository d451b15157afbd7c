"""Staff make endpoints, see what became of messages, and send them again."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from billing.models import WebhookDelivery, WebhookEndpoint
from billing.outgoing.delivering import deliver_due
from billing.outgoing.dispatching import dispatch_waiting
from billing.outgoing.endpoints import send_test
from tests.billing.outgoing.conftest import Listener

DONE = {"_form_submitted": "True"}


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


def page(client: Client, name: str, *args: Any, **query: Any) -> str:
    """The page's text, without its mark-up."""
    response = client.get(reverse(f"admin:billing_{name}", args=args), query, follow=True)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_an_endpoint_made_here_shows_its_secret_once(staff: Client, listener: Listener) -> None:
    form = {"url": listener.url, "description": "Production", "event_types": ["balance.low"], "enabled": "on"}
    made = staff.post(reverse("admin:billing_webhookendpoint_add"), form, follow=True).content.decode()
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.event_types == ["balance.low"]
    assert endpoint.secret.replace("+", "&#x2B;").replace("=", "&#x3D;") in made or endpoint.secret in made
    for name, args in (("webhookendpoint_changelist", ()), ("webhookendpoint_change", (endpoint.pk,))):
        shown = page(staff, name, *args)
        assert listener.url in shown
        assert endpoint.secret not in shown
    change = reverse("admin:billing_webhookendpoint_change", args=[endpoint.pk])
    staff.post(change, {"url": listener.url, "description": "Off"})
    assert (WebhookEndpoint.objects.get().enabled, WebhookEndpoint.objects.get().secret) == (False, endpoint.secret)


def test_an_address_that_is_refused_is_said_beside_the_field(staff: Client, listener: Listener) -> None:
    form = {"url": "https://169.254.169.254/", "enabled": "on"}
    answer = staff.post(reverse("admin:billing_webhookendpoint_add"), form).content.decode()
    assert "It leads into a private network." in answer
    assert not WebhookEndpoint.objects.exists()


def test_secrets_are_rotated_and_endpoints_tried_out_and_deleted(
    staff: Client, endpoint: WebhookEndpoint, listener: Listener, now: datetime
) -> None:
    def does(action: str, **more: str) -> str:
        address = reverse(f"admin:billing_webhookendpoint_{action}", args=[endpoint.pk])
        return staff.post(address, DONE | more, follow=True).content.decode()

    does("rotate", overlap_hours="3")
    rotated = WebhookEndpoint.objects.get()
    assert (rotated.previous_secret, rotated.secret != endpoint.secret) == (endpoint.secret, True)
    does("test")
    delivery = WebhookDelivery.objects.get()
    assert delivery.kind == "test"
    does("remove")
    assert not WebhookEndpoint.objects.exists()


def test_a_delivery_shows_every_try_and_can_be_sent_again(
    staff: Client, endpoint: WebhookEndpoint, listener: Listener, says: Callable[..., None], now: datetime
) -> None:
    listener.answers = [(500, {}, b"out of <coffee>"), 200]
    says("balance.low", available="18.5")
    dispatch_waiting(now)
    deliver_due(now)
    delivery = WebhookDelivery.objects.get()
    assert "balance.low" in page(staff, "webhookdelivery_changelist")
    shown = page(staff, "webhookdelivery_change", delivery.pk)
    for fact in ("answered 500", "out of &lt;coffee&gt;", "18.5", f"msg_{delivery.message_id}", "Waiting"):
        assert fact in shown, fact
    assert "1 waiting" in page(staff, "webhookendpoint_change", endpoint.pk)
    staff.post(reverse("admin:billing_webhookdelivery_resend", args=[delivery.pk]), DONE)
    deliver_due(now + timedelta(minutes=1))
    assert len({heard.id for heard in listener.heard}) == 1
    assert len(listener.heard) == 2
    assert "0 webhook deliveries" in page(staff, "webhookdelivery_changelist", state__exact="failed")
    assert "1 webhook delivery" in page(staff, "webhookdelivery_changelist", state__exact="delivered")


def test_deliveries_are_found_by_number_and_type(
    staff: Client, endpoint: WebhookEndpoint, says: Callable[..., None], now: datetime
) -> None:
    says("balance.low")
    dispatch_waiting(now)
    send_test(endpoint.pk, now)
    number = WebhookDelivery.objects.get(kind="balance.low").message_id
    for text, found in (
        (str(number), 1),
        (f"msg_{number}", 1),
        ("balance.low", 1),
        ("acme", 1),
        ("9" * 30, 0),
        ("no", 0),
    ):
        shown = page(staff, "webhookdelivery_changelist", q=text)
        assert f"{found} webhook deliver" in shown, text


def test_an_endpoint_that_is_gone_says_so(
    staff: Client, endpoint: WebhookEndpoint, listener: Listener, says: Callable[..., None], now: datetime
) -> None:
    listener.answers = [410]
    says("balance.low")
    dispatch_waiting(now)
    deliver_due(now)
    assert "gone" in page(staff, "webhookendpoint_changelist")
    shown = page(staff, "webhookendpoint_change", endpoint.pk)
    assert "Disabled because It answered 410 Gone. Failing since" in shown
    assert f"{now:%Y-%m-%d %H:%M:%S}" in shown


def test_the_sidebar_leads_here(staff: Client) -> None:
    index = staff.get("/admin/").content.decode()
    for name in ("webhookendpoint", "webhookdelivery"):
        assert reverse(f"admin:billing_{name}_changelist") in index


def test_who_may_only_look_is_offered_nothing_to_do(endpoint: WebhookEndpoint, now: datetime) -> None:
    viewer = User.objects.create_user("bob", is_staff=True)
    names = ("view_webhookendpoint", "view_webhookdelivery")
    viewer.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(viewer)
    shown = page(client, "webhookendpoint_change", endpoint.pk)
    assert endpoint.url in shown
    for words in ("Send a test", "New secret", "Delete"):
        assert words not in shown
    for action in ("test", "rotate", "remove"):
        address = reverse(f"admin:billing_webhookendpoint_{action}", args=[endpoint.pk])
        assert client.post(address, DONE).status_code == 403
    assert WebhookEndpoint.objects.get().secret == endpoint.secret
