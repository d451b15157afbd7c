"""The connection to Stripe: one pinned API version, time limits, our own idempotency keys, errors in our words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

import stripe
from django.conf import settings

from billing.stripe.errors import (
    Declined,
    Gone,
    Invalid,
    LiveKeyRefused,
    NeedsAction,
    NotConfigured,
    StripeUnavailable,
)

API_VERSION: Final = "2026-08-26.dahlia"
"""The one our code and the sandbox are written against; the SDK's own pin moves with its releases."""

TIMEOUT_SECONDS: Final = 20
RETRIES: Final = 2
"""The SDK's own, within one call; every one sends the idempotency key we gave."""

# Two lines for every call, however small, would drown what our own log says.
logging.getLogger("stripe").setLevel(logging.WARNING)

_LIVE_KEYS: Final = ("sk_live_", "rk_live_")


def is_configured() -> bool:
    """Whether there is a key to speak to Stripe with."""
    return bool(settings.STRIPE_SECRET_KEY)


def client() -> stripe.StripeClient:
    """Stripe, by the settings. Raises NotConfigured, LiveKeyRefused."""
    key: str = settings.STRIPE_SECRET_KEY
    if not key:
        raise NotConfigured("STRIPE_SECRET_KEY is not set")
    if key.startswith(_LIVE_KEYS) and not settings.STRIPE_LIVE:
        raise LiveKeyRefused("STRIPE_SECRET_KEY is a live-mode key and STRIPE_LIVE is not set")
    return _client(key, settings.STRIPE_API_BASE)


@lru_cache(maxsize=4)
def _client(key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        base_addresses={"api": base} if base else {},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )


@contextmanager
def asking() -> Iterator[stripe.StripeClient]:
    """Speak to Stripe; what its SDK raises inside comes out as one of ours.

    Raises Declined, NeedsAction, StripeUnavailable, Gone, Invalid; NotConfigured, LiveKeyRefused.
    """
    try:
        yield client()
    except stripe.CardError as error:
        intent = _shown(error, "payment_intent")
        needs_action = error.code == "authentication_required"
        raise (NeedsAction if needs_action else Declined)(
            _said(error), code=_decline_code(error), raw=intent
        ) from error
    except stripe.InvalidRequestError as error:
        gone = error.code == "resource_missing" or error.http_status == 404
        raise (Gone if gone else Invalid)(
            _said(error), code=error.code or "", raw={"param": error.param or ""}
        ) from error
    except stripe.IdempotencyError as error:
        if error.http_status == 409:  # the first one with this key is still being worked on
            raise StripeUnavailable(_said(error), code="idempotency_key_in_use") from error
        raise Invalid(_said(error), code="idempotency_key_reused") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        # A wrong or narrowed key is put right by an operator; what was asked for stays asked for.
        raise StripeUnavailable(_said(error), code="key_refused") from error
    except stripe.StripeError as error:  # 429, 5xx, and no answer at all
        raise StripeUnavailable(_said(error), code=error.code or "") from error


def mutation(key: str) -> Any:
    """The options of a call that changes something: retried with the same key, it happens once.

    Stripe forgets a key after 24 hours, so an older doubt is cleared up by looking, not by asking again.
    """
    return {"idempotency_key": key}


def plain(thing: Any) -> dict[str, Any]:
    """A StripeObject as plain JSON, decimals as text: it is no dict, whatever it looks like."""
    found: dict[str, Any] = thing.to_dict(for_json=True)
    return found


def _said(error: stripe.StripeError) -> str:
    return str(error.user_message or error)


def _decline_code(error: stripe.CardError) -> str:
    return str(getattr(error.error, "decline_code", None) or error.code or "")


def _shown(error: stripe.StripeError, name: str) -> dict[str, Any]:
    shown = getattr(error.error, name, None)
    return plain(shown) if shown is not None else {}
