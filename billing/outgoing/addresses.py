"""Where webhooks may go: not into the network this service stands in, whoever was allowed to write the address.

An endpoint's URL is checked when it is written, as far as it can be without asking DNS. When a message is sent the name
is resolved, every address it has is checked, and the connection is made to one of those, so that a name which
answers something else a moment later leads nowhere else. Redirects are not followed, and no proxy is asked.
"""

import asyncio
import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

import httpx
from django.conf import settings

from billing.outgoing.problems import WebhookUrlRefused

Address = IPv4Address | IPv6Address

_METADATA: Final = frozenset({ip_address("fd00:ec2::254"), ip_address("100.100.100.200")})
"""Clouds' metadata services that are not on a link-local address, as 169.254.169.254 is. Read 2026-11-24."""

_HOST: Final = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")
_AUTHORITY_ENDS: Final = re.compile(r"[/?#]")
MAX_PORT: Final = 65535

_NAT64: Final = IPv6Network("64:ff9b::/96")


class AddressRefused(Exception):
    """A name that leads where webhooks may not go."""


def check_url(url: str) -> str:
    """The URL as it is kept. Raises WebhookUrlRefused."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        raise _refused("is not a URL") from None
    if parsed.scheme not in {"https", "http"} or not _HOST.fullmatch(parsed.raw_host.decode()):
        raise _refused("must be an https URL")
    if (
        any(letter.isspace() or not letter.isprintable() for letter in url)
        or not 0 < (443 if parsed.port is None else parsed.port) <= MAX_PORT
    ):
        raise _refused("is not a URL")
    if "@" in _AUTHORITY_ENDS.split(url.partition("//")[2], maxsplit=1)[0]:
        raise _refused("must not hold a user name or password; messages are signed instead")
    if parsed.fragment:
        raise _refused("must not have a fragment")
    literal = _literal(parsed.host)
    loopback = parsed.host == "localhost" or (literal is not None and literal.is_loopback)
    if parsed.scheme == "http" and not (loopback and settings.WEBHOOKS_TO_PRIVATE_NETWORKS):
        raise _refused("must be an https URL; http is for this machine, in development")
    if (literal is not None and not may_go_to(literal)) or (loopback and not settings.WEBHOOKS_TO_PRIVATE_NETWORKS):
        raise _refused("leads into a private network")
    return url


def may_go_to(address: Address) -> bool:
    """Whether webhooks may be sent to an address: a public one; with the setting also a private one.

    Never to link-local and metadata addresses, and to none that is not one machine's.
    """
    address = _innermost(address)
    if address in _METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if address.is_loopback or address.is_private:
        return bool(settings.WEBHOOKS_TO_PRIVATE_NETWORKS)
    return address.is_global


async def addresses_of(host: str, port: int) -> list[str]:
    """The addresses of a name, all of them checked. Raises AddressRefused, OSError where there are none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    for address in addresses:
        literal = _literal(address)
        if literal is None or not may_go_to(literal):
            raise AddressRefused(f"{host} leads to {address}, where webhooks are not sent")
    return addresses


def _innermost(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _refused(why: str) -> WebhookUrlRefused:
    return WebhookUrlRefused(why, field="url")
