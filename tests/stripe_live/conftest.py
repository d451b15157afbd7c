"""These stories speak to Stripe itself, in test mode, and only when asked: `make test-stripe-live`."""

import os
from datetime import datetime
from typing import Any

import pytest

from kernel.clock import utc_now
from tests.stripe_live.cast import Counter


@pytest.fixture
def now() -> datetime:
    """The real time: Stripe's clock cannot be told another."""
    return utc_now()


@pytest.fixture
def counter(db: None, settings: Any, now: datetime) -> Counter:
    """A shop that sells through Stripe's test mode. Skips without a key; fails with one that moves real money."""
    if os.environ.get("STRIPE_LIVE_TESTS") != "1":
        pytest.skip("Stripe itself is only asked by `make test-stripe-live`")
    if not settings.STRIPE_SECRET_KEY:
        pytest.skip("STRIPE_SECRET_KEY is not set: there is no test mode to speak to")
    if not settings.STRIPE_SECRET_KEY.startswith(("sk_test_", "rk_test_")):
        pytest.fail("STRIPE_SECRET_KEY is not a test-mode key: these stories charge cards")
    return Counter(now)
