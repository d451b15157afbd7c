"""What a webhook says, once its signature is proved on the raw body."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import stripe
from django.conf import settings

from kernel.errors import Problem

TOLERANCE_SECONDS: Final = 300


class BadSignature(Problem):
    code = "webhook_signature_invalid"
    title = "The webhook's signature does not prove that Stripe sent it now"


class EventNotice(msgspec.Struct, frozen=True):
    """That something happened to an object. What it is now is fetched, never believed."""

    id: str
    type: str
    object_type: str
    object_id: str
    created: datetime


def read_webhook(body: bytes, signature: str | None) -> EventNotice | None:
    """The event of a webhook; None if it is of no object that could be fetched.

    Raises BadSignature: forged, altered, stale, or signed with another secret.
    """
    secrets = [secret.strip() for secret in settings.STRIPE_WEBHOOK_SECRET.split(",") if secret.strip()]
    if not secrets:
        raise BadSignature("STRIPE_WEBHOOK_SECRET is not set, so nothing can be proved")
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        break
    else:
        raise BadSignature("the Stripe-Signature header does not match the body, or is too old")
    try:
        return notice(json.loads(body))
    except (ValueError, KeyError, TypeError):
        raise BadSignature("the body is signed but is not an event") from None


def notice(event: dict[str, Any]) -> EventNotice | None:
    """The notice in an event as Stripe shows it. Raises KeyError, TypeError for what is not one."""
    subject = event["data"]["object"]
    if not isinstance(subject.get("id"), str):
        return None  # balance.available and the like name nothing
    return EventNotice(
        id=str(event["id"]),
        type=str(event["type"]),
        object_type=str(subject["object"]),
        object_id=subject["id"],
        created=datetime.fromtimestamp(int(event["created"]), UTC),
    )
