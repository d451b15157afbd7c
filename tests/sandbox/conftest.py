"""One sandbox process for all tests of this folder, emptied before each; and Stripe's SDK, pointed at it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from sandbox import API_VERSION
from tests.sandbox.inbox import Inbox
from tests.sandbox.process import KEY, SandboxProcess

if TYPE_CHECKING:
    from stripe import StripeClient


@pytest.fixture(scope="session")
def shared_inbox() -> Iterator[Inbox]:
    with Inbox() as inbox:
        yield inbox


@pytest.fixture(scope="session")
def shared_sandbox(shared_inbox: Inbox) -> Iterator[SandboxProcess]:
    with SandboxProcess(webhook_url=shared_inbox.url, check_answers=True) as process:
        yield process


@pytest.fixture
def inbox(sandbox: SandboxProcess, shared_inbox: Inbox) -> Inbox:
    """Where webhooks arrive."""
    return shared_inbox


@pytest.fixture
def sandbox(shared_sandbox: SandboxProcess, shared_inbox: Inbox) -> Iterator[SandboxProcess]:
    """As new. A test that means to send what Stripe would not understand clears the violations itself."""
    shared_sandbox.control("POST", "/sandbox/reset")
    shared_inbox.letters.clear()
    shared_inbox.refuses = 0
    yield shared_sandbox
    assert shared_sandbox.violations() == []


@pytest.fixture
def stripe(sandbox: SandboxProcess) -> "StripeClient":
    """Stripe's own SDK, which tries everything once: what it would hide by retrying is what tests look at."""
    return connected(sandbox)


def connected(sandbox: SandboxProcess, **options: object) -> "StripeClient":
    """A client of the SDK for this process."""
    sdk = pytest.importorskip("stripe", reason="Stripe's SDK is not installed, so nothing can speak to the sandbox")
    settings: dict[str, object] = {"stripe_version": API_VERSION, "max_network_retries": 0}
    client: StripeClient = sdk.StripeClient(KEY, base_addresses={"api": sandbox.url}, **settings | options)
    return client
