"""What can be told: every type of message, when it is told, and a body's `data` as an example.

docs/webhooks.md shows the same; a test holds the two together.
"""

from typing import Any, Final

import msgspec

TEST: Final = "test"
"""Sent when somebody asks for it, to one endpoint, whatever types it takes."""

_TOP_UP: Final = {"top_up": "0d2b1f6e-6f0c-4a55-9a3e-0f6a5f1f9f10", "key": "order-1042"}
_CHARGED: Final = {
    "subscription": "sub_1RsT",
    "status": "active",
    "charged": {"plan": "pro", "version": 2},
    "next": None,
    "cancel_at": None,
    "overdue_since": None,
}


class Kind(msgspec.Struct, frozen=True):
    """A type of message. `example` is its `data` without the customer."""

    name: str
    when: str
    example: dict[str, Any]


KINDS: Final = (
    Kind(
        "balance.low",
        "Available fell below the customer's mark (auto top-up's threshold). Once for each fall.",
        {"available": "18.5", "threshold": "20"},
    ),
    Kind(
        "balance.exhausted",
        "Available fell to zero or below: by use, a hold, or expiry (told at the next call). Once for each fall.",
        {"available": "0", "held": "2.5", "debt": "0", "overage": "0"},
    ),
    Kind(
        "limit.threshold",
        "A limit reached one of its warning thresholds. Once for each threshold and window.",
        {
            "limit": "monthly-credits",
            "scope": "user",
            "scope_key": "user:ada",
            "threshold_percent": 80,
            "used": "410.25",
            "value": "500",
            "unit": "credits",
        },
    ),
    Kind(
        "top_up.succeeded",
        "A top-up was paid and its credits are there. Once for each payment.",
        _TOP_UP
        | {
            "origin": "checkout",
            "credits": "1050",
            "paid": {"amount": "80.00", "currency": "USD"},
            "receipt_url": "https://pay.stripe.com/receipts/…",
        },
    ),
    Kind(
        "top_up.failed",
        "A charge was declined, or auto top-up could not order. `retry_at`: when it is tried again; null: it is not.",
        _TOP_UP | {"code": "card_declined", "reason": "Your card was declined.", "retry_at": "2026-11-15T13:00:00Z"},
    ),
    Kind(
        "top_up.needs_action",
        "Auto top-up needs the customer: at `url` they confirm the payment, or give a card.",
        _TOP_UP | {"code": "authentication_required", "url": "https://checkout.stripe.com/c/pay/…"},
    ),
    Kind(
        "top_up.cap_reached",
        "Auto top-up rests until next month: another purchase would pass the customer's monthly cap. Once a month.",
        {"monthly_cap": {"amount": "200.000", "currency": "USD"}, "threshold": "100"},
    ),
    Kind(
        "top_up.refunded",
        "A refund took credits back. Once for each refund.",
        _TOP_UP | {"refund": "re_3RsT", "credits": "420"},
    ),
    Kind(
        "top_up.disputed",
        "A dispute took credits back, and auto top-up rests. Once for each dispute.",
        _TOP_UP | {"dispute": "du_1RsT", "credits": "1050"},
    ),
    Kind(
        "top_up.restored",
        "A refund failed or a dispute was won: its credits are back.",
        _TOP_UP | {"dispute": "du_1RsT", "credits": "1050"},
    ),
    Kind(
        "subscription.changed",
        "A subscription at Stripe began, changed, fell overdue or ended. `previous`: as told before; null: new.",
        _CHARGED | {"cancel_at": "2026-12-15T12:00:00Z", "previous": _CHARGED},
    ),
    Kind(
        "margin.below_floor",
        "What the customer's period is projected to leave is below a margin floor. Once for each period.",
        {
            "floor": "0.6",
            "projected_margin": "0.512",
            "revenue": "299",
            "cost": "145.912",
            "currency": "USD",
            "period_start": "2026-11-01T00:00:00Z",
            "period_end": "2026-12-01T00:00:00Z",
        },
    ),
)

NAMES: Final = tuple(kind.name for kind in KINDS)
