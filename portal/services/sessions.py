"""Letting a customer into their own pages: a signed link, exchanged once for a browser's session."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.core.signing import BadSignature, Signer

from entitlements.models import Customer
from entitlements.services.problems import CustomerUnknown
from kernel.errors import InvalidInput
from kernel.ids import new_id
from portal.models import PortalSession

LINK_LASTS: Final = timedelta(minutes=10)
"""A link is made when somebody clicks; one that is found later, in a log or a chat, opens nothing."""

SESSION_LASTS: Final = timedelta(hours=2)

KEPT: Final = timedelta(days=90)
"""How long the record of a customer's visits is kept."""

MAX_URL: Final = 2000

log = structlog.get_logger("weir.portal")


class LinkRefused(Exception):
    """A link that lets nobody in. `session` is what it names, if it names anything."""

    def __init__(self, session: PortalSession | None = None) -> None:
        super().__init__()
        self.session = session


class LinkForged(LinkRefused):
    """Not a link of ours, or not as we wrote it."""


class LinkExpired(LinkRefused):
    """Nobody opened it in time."""


class LinkUsed(LinkRefused):
    """It was opened before."""


class Link(NamedTuple):
    """A new link: its row and the token to put into its address."""

    session: PortalSession
    token: str


def create_link(
    customer_key: str, *, created_by: str, now: datetime, return_url: str = "", read_only: bool = False
) -> Link:
    """Make a link to a customer's pages, good once within LINK_LASTS. Raises CustomerUnknown, InvalidInput."""
    check_return_url(return_url)
    customer = Customer.objects.filter(key=customer_key).first()
    if customer is None:
        raise CustomerUnknown(f"no customer has the key {customer_key!r}")
    PortalSession.objects.filter(customer=customer, created_at__lt=now - KEPT).delete()
    session = PortalSession.objects.create(
        id=new_id(),
        customer=customer,
        created_at=now,
        created_by=created_by,
        read_only=read_only,
        return_url=return_url,
        link_expires_at=now + LINK_LASTS,
    )
    log.info("portal link", session=str(session.pk), customer=customer.key, by=created_by, read_only=read_only)
    return Link(session, _signer().sign(session.pk.hex))


def look_up_link(token: str, now: datetime) -> PortalSession:
    """The session a link's token would open; opens nothing. Raises LinkForged, LinkExpired, LinkUsed."""
    try:
        named = UUID(hex=_signer().unsign(token))
    except (BadSignature, ValueError):
        raise LinkForged from None
    session = PortalSession.objects.select_related("customer").filter(pk=named).first()
    if session is None:
        raise LinkForged
    if session.opened_at is not None:
        raise LinkUsed(session)
    if session.link_expires_at <= now:
        raise LinkExpired(session)
    return session


def open_link(token: str, now: datetime) -> tuple[PortalSession, str]:
    """Exchange a link for a session. Returns it with the secret for the browser, which is shown here only.

    Of two that come at once one is let in. Raises LinkForged, LinkExpired, LinkUsed.
    """
    session = look_up_link(token, now)
    secret = secrets.token_urlsafe(32)
    opened = PortalSession.objects.filter(pk=session.pk, opened_at=None, link_expires_at__gt=now).update(
        opened_at=now, secret_digest=_digest(secret), expires_at=now + SESSION_LASTS
    )
    if not opened:
        raise LinkUsed(session)
    session.refresh_from_db()
    log.info("portal opened", session=str(session.pk), customer=session.customer.key)
    return session, secret


def session_of(secret: str, now: datetime) -> PortalSession | None:
    """The session of a browser's secret, if it is still good."""
    return (
        PortalSession.objects.select_related("customer")
        .filter(secret_digest=_digest(secret), expires_at__gt=now, ended_at=None)
        .first()
    )


def end_session(session: PortalSession, now: datetime) -> None:
    """Sign out."""
    PortalSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=now)


def check_return_url(url: str) -> None:
    """Refuse what is no web address: a link that runs a script must not be put on a page. Raises InvalidInput."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"https", "http"} and bool(parts.hostname) and len(url) <= MAX_URL and url.isprintable()
    except ValueError:
        good = False
    if not good or " " in url:
        raise InvalidInput("must be a web address such as https://app.example.com/billing", field="return_url")


def _digest(secret: str) -> bytes:
    return sha256(secret.encode(errors="surrogatepass")).digest()


def _signer() -> Signer:
    return Signer(salt="portal.link")
