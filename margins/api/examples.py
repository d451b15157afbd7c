"""Answers as the documentation shows them; tests hold them equal to real ones."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

WORKED_MONTH: Final[dict[str, Any]] = {
    "currency": "USD",
    "revenue": {
        "subscription": "299",
        "credits": "0",
        "breakage": "0",
        "overage": "0",
        "reversal": "0",
        "total": "299",
    },
    "cogs": {
        "lines": [
            {"key": "inference", "name": "Inference", "amount": "89"},
            {"key": "support", "name": "Support", "amount": "15"},
            {"key": "third-party", "name": "Third-Party", "amount": "12"},
            {"key": "hosting", "name": "Hosting", "amount": "8"},
        ],
        "total": "124",
    },
    "gross_margin": "175",
    "margin_ratio": "0.585284",
    "not_convertible": [],
    "reported": {
        "currency": "USD",
        "revenue": "299",
        "cogs": "124",
        "gross_margin": "175",
        "margin_ratio": "0.585284",
        "missing_rates": [],
    },
    "calls": 2,
    "unpriced_calls": 0,
    "unrated_calls": 0,
    "memoised_calls": 0,
    "tokens": 2200,
    "charged_credits": "0.28",
    "completeness": "1",
}

CUSTOMER_MARGIN: Final = OpenApiExample(
    "A month at $299 with heavy use",
    {
        "customer": "acme",
        "from": "2026-11-01",
        "to": "2026-12-01",
        "as_of": "2026-12-15T12:00:00Z",
        "data": [WORKED_MONTH],
        "restated": [],
    },
    response_only=True,
)

HALF_A_MONTH: Final[dict[str, Any]] = {
    "currency": "USD",
    "billed": {"subscription": "299", "credits": "10", "overage": "0", "refunds": "0", "total": "309"},
    "recognised": {
        "subscription": "149.5",
        "credits": "3",
        "breakage": "0",
        "overage": "0",
        "reversal": "0",
        "total": "152.5",
    },
    "deferred_before": "0",
    "deferred_after": "156.5",
}

REVENUE: Final = OpenApiExample(
    "Half a month, and a pack of $10 of which $3 is burned",
    {"from": "2026-11-01", "to": "2026-11-16", "as_of": "2026-12-15T12:00:00Z", "data": [HALF_A_MONTH]},
    response_only=True,
)
