"""Webhooks go where they were meant to and nowhere into the network we stand in."""

import socket
from datetime import datetime
from ipaddress import ip_address
from threading import Event
from typing import Any

import pytest

from billing.models import WebhookDelivery, WebhookEndpoint
from billing.outgoing import sending
from billing.outgoing.addresses import check_url, may_go_to
from billing.outgoing.delivering import deliver_due
from billing.outgoing.endpoints import create_endpoint, send_test
from billing.outgoing.problems import WebhookUrlRefused
from billing.outgoing.sending import Letter, send_all
from tests.billing.outgoing.conftest import Listener

PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
PRIVATE = [
    "10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
    "2002:a00:1::",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
    "0.0.0.0", "::", "224.0.0.1", "ff02::1", "2002:a9fe:a9fe::",
]  # fmt: skip


@pytest.fixture
def outside(settings: Any) -> None:
    """As in production."""
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = False


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_spoken_to(address: str, outside: None) -> None:
    assert may_go_to(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_only_where_the_setting_allows_them(address: str, settings: Any) -> None:
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = False
    assert not may_go_to(ip_address(address))
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    assert may_go_to(ip_address(address))


@pytest.mark.parametrize("address", NEVER)
def test_metadata_and_what_is_nobodys_address_never(address: str, settings: Any) -> None:
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    assert not may_go_to(ip_address(address))


HOSTILE = [
    "http://example.com/hook", "ftp://example.com/", "example.com/hook", "", "https://", "https:///hook", "https://[::1",
    "https://user:secret@example.com/", "https://@example.com/", "https://example.com/#part", "https://10.0.0.1/",
    "https://[::1]/", "https://127.0.0.1/", "https://localhost/", "http://localhost/", "https://169.254.169.254/latest",
    "https://[::ffff:10.0.0.1]/", "javascript:alert(1)", "https://exa mple.com/", "https://example.com:99999/",
    "file:///etc/passwd", "https://example.com/\nhost: other", "https://example.com:0/", "https://a\\@example.com/",
    "\u0000",
]  # fmt: skip


@pytest.mark.parametrize("url", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_addresses_are_not_kept(url: str, outside: None) -> None:
    with pytest.raises(WebhookUrlRefused) as refused:
        check_url(url)
    assert refused.value.field == "url"


@pytest.mark.parametrize(
    "url", ["https://example.com", "https://example.com:8443/hook?team=1", "https://93.184.216.34/"]
)
def test_ordinary_addresses_are_kept_as_they_are(url: str, outside: None) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/", "http://localhost:9000/", "http://[::1]:9000/", "https://10.0.0.1/"]
)
def test_in_development_this_machine_is_spoken_to_without_tls(url: str, settings: Any) -> None:
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    assert check_url(url) == url
    with pytest.raises(WebhookUrlRefused):
        check_url("http://10.0.0.1/")


def resolves(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Names lead to these addresses, one answer after the other. Returns which names were asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def answer(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host != "shop.example":
            return real(host, port, *args, **options)
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["93.184.216.34", "169.254.169.254"], ["127.0.0.1"]])
def test_a_name_that_leads_inside_is_not_connected_to(
    addresses: list[str], outside: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolves(monkeypatch, addresses)
    (outcome,) = send_all([Letter("https://shop.example/", "{}", {})])
    assert outcome.error == f"AddressRefused: shop.example leads to {addresses[-1]}, where webhooks are not sent"


def test_the_connection_is_made_to_the_address_that_was_checked(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another answer a moment later (DNS rebinding) leads nowhere else: nobody asks again."""
    asked = resolves(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
    port = listener.url.split(":")[2].split("/")[0]
    (outcome,) = send_all([Letter(f"http://shop.example:{port}/hook", "{}", {"webhook-id": "msg_1"})])
    assert (outcome.error, asked) == ("", ["shop.example"])
    assert listener.heard[0].headers["host"] == f"shop.example:{port}"


def test_where_the_first_address_does_not_answer_the_next_one_is_tried(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolves(monkeypatch, ["127.0.0.2", "127.0.0.1"])  # nobody listens at the first
    port = listener.url.split(":")[2].split("/")[0]
    (outcome,) = send_all([Letter(f"http://shop.example:{port}/hook", "{}", {})])
    assert (outcome.error, len(listener.heard)) == ("", 1)


def test_proxies_of_the_environment_are_not_asked(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    (outcome,) = send_all([Letter(listener.url, "{}", {})])
    assert outcome.error == ""


def test_who_does_not_answer_in_time_keeps_nobody_waiting(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.3)
    silence = Event()
    listener.answers = [silence]
    try:
        slow, quick = send_all([Letter(listener.url, "{}", {}), Letter("http://127.0.0.1:9/", "{}", {})])
    finally:
        silence.set()
    assert slow.error == "no answer within 0.3 seconds"
    assert quick.error.startswith("ConnectError")


def test_an_endpoint_that_was_allowed_before_the_setting_changed_is_not_sent_to(
    db: None, now: datetime, settings: Any
) -> None:
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = True
    endpoint = create_endpoint("https://10.0.0.1/", now)
    settings.WEBHOOKS_TO_PRIVATE_NETWORKS = False
    send_test(endpoint.pk, now)
    deliver_due(now)
    assert "where webhooks are not sent" in WebhookDelivery.objects.get().last_error
    assert WebhookEndpoint.objects.get().failing_since == now
