"""What can go wrong at Stripe, in the few kinds that lead to different next steps."""

from typing import Any

from kernel.errors import Unavailable


class StripeError(Exception):
    """Stripe did not do what it was asked. `code` is Stripe's own; `raw` the object it showed, if any."""

    def __init__(self, message: str, *, code: str = "", raw: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.raw = raw or {}


class Declined(StripeError):
    """The bank said no. The intent is in `raw`; asking again later, with a key of its own, may succeed."""


class NeedsAction(StripeError):
    """The bank wants to see the card's owner. The intent is in `raw`."""


class StripeUnavailable(StripeError):
    """No answer, or none to rely on: what was asked for may have been done. Ask again with the same key."""


class Gone(StripeError):
    """There is no such object, or it was deleted."""


class Invalid(StripeError):
    """Stripe understood and refuses: asking the same again cannot help."""


class NotConfigured(Unavailable):
    code = "payments_not_configured"
    title = "This service has no Stripe key"


class LiveKeyRefused(Unavailable):
    code = "live_key_refused"
    title = "A live-mode Stripe key is only used with STRIPE_LIVE=1"


class PaymentsUnavailable(Unavailable):
    code = "payments_unavailable"
    title = "Stripe cannot be reached right now"
