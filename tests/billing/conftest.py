"""One sandbox process for all tests of this folder, emptied before each, with the service pointed at it."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.billing.cast import Shop
from tests.sandbox.process import KEY, SECRET, SandboxProcess


@pytest.fixture(scope="session")
def shared_stripe() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def stripe(shared_stripe: SandboxProcess, settings: object) -> Iterator[SandboxProcess]:
    """Stripe, as new. Whatever it would have refused to understand fails the test."""
    shared_stripe.control("POST", "/sandbox/reset")
    settings.STRIPE_SECRET_KEY = KEY  # type: ignore[attr-defined]
    settings.STRIPE_API_BASE = shared_stripe.url  # type: ignore[attr-defined]
    settings.STRIPE_WEBHOOK_SECRET = SECRET  # type: ignore[attr-defined]
    yield shared_stripe
    assert shared_stripe.violations() == []


@pytest.fixture
def shop(stripe: SandboxProcess, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """What is on sale, and Stripe to sell it through, at `shop.now`. The test's database is open."""
    shop = Shop(stripe, now)
    monkeypatch.setattr("billing.webhook.utc_now", lambda: shop.now)
    return shop
