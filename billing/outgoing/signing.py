"""Signatures as Standard Webhooks has them, and the secrets they are made with."""

import secrets
from base64 import b64encode
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook

from billing.models import WebhookEndpoint
from billing.models.webhook import SECRET_PREFIX

_SECRET_BYTES: Final = 32  # 24 to 64, says the specification


def new_secret() -> str:
    """A secret as receivers' libraries take it."""
    return SECRET_PREFIX + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def live_secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """What to sign with: the present secret, and until it ends the one before."""
    both = endpoint.previous_until is not None and now < endpoint.previous_until
    return [endpoint.secret, endpoint.previous_secret] if both else [endpoint.secret]


def signed_headers(endpoint: WebhookEndpoint, message_id: str, body: str, now: datetime) -> dict[str, str]:
    """The three headers a receiver verifies a message by."""
    # The library writes `replace(tzinfo=UTC)` over whatever zone an instant has, so it must be in UTC.
    at = now.astimezone(UTC)
    signatures = [Webhook(secret).sign(message_id, at, body) for secret in live_secrets(endpoint, now)]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
