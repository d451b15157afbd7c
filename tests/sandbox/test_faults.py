"""The same request twice, and everything a network and a busy server do to a request."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.conftest import connected
from tests.sandbox.process import SandboxProcess
from tests.sandbox.shop import a_customer, an_auto_top_up

if TYPE_CHECKING:
    from stripe import StripeClient


def test_the_same_key_and_request_is_done_once(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    first = stripe.v1.customers.create({"email": "a@example.com", "name": "Ada"}, {"idempotency_key": "k"})
    second = stripe.v1.customers.create({"name": "Ada", "email": "a@example.com"}, {"idempotency_key": "k"})

    assert first.id == second.id
    assert second.last_response is not None
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert second.last_response.headers["Original-Request"] == first.last_response.request_id


def test_the_same_key_with_another_request_is_refused(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    stripe.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "k"})
    with pytest.raises(sdk.IdempotencyError):
        stripe.v1.customers.create({"email": "b@example.com"}, {"idempotency_key": "k"})
    with pytest.raises(sdk.IdempotencyError):
        stripe.v1.products.create({"name": "a@example.com"}, {"idempotency_key": "k"})

    assert len(sandbox.objects("customer")) == 1


def test_a_key_at_once_from_many(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    customer = a_customer(stripe, "pm_card_visa")
    with ThreadPoolExecutor(8) as pool:
        intents = list(pool.map(lambda _: an_auto_top_up(stripe, customer), range(16)))

    assert len({intent.id for intent in intents}) == 1
    assert sandbox.totals()["usd"]["charges"] == 1


def test_a_key_is_forgotten_after_a_day(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    """Why a key alone does not protect a retry that comes late."""
    customer = a_customer(stripe, "pm_card_visa")
    an_auto_top_up(stripe, customer)
    sandbox.later(days=1, seconds=1)
    an_auto_top_up(stripe, customer)

    assert sandbox.totals()["usd"]["charges"] == 2


def test_a_request_that_was_never_begun_is_not_remembered(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.refunds.create({"charge": "ch_nowhere"}, {"idempotency_key": "k"})
    assert stripe.v1.customers.create({"name": "Ada"}, {"idempotency_key": "k"}).name == "Ada"


@pytest.mark.parametrize(
    ("fault", "error", "charges_at_first", "charges_after_retry"),
    [
        ("rate_limited", "RateLimitError", 0, 1),
        ("lock_timeout", "RateLimitError", 0, 1),
        ("server_error", "APIError", 0, 1),
        ("drop_before", "APIConnectionError", 0, 1),
        ("drop_after", "APIConnectionError", 1, 1),
    ],
)
def test_a_retry_after_a_fault_charges_once(
    sandbox: SandboxProcess,
    stripe: "StripeClient",
    fault: str,
    error: str,
    charges_at_first: int,
    charges_after_retry: int,
) -> None:
    import stripe as sdk

    customer = a_customer(stripe, "pm_card_visa")
    sandbox.fails(fault, "/v1/payment_intents", method="POST")
    with pytest.raises(getattr(sdk, error)):
        an_auto_top_up(stripe, customer)
    assert _charges(sandbox) == charges_at_first
    assert an_auto_top_up(stripe, customer).status == "succeeded"

    assert _charges(sandbox) == charges_after_retry


def test_the_worst_answer_is_an_error_that_is_remembered(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    """Charged, and every retry says 500: only looking at Stripe's own list tells."""
    import stripe as sdk

    customer = a_customer(stripe, "pm_card_visa")
    sandbox.fails("server_error_after", "/v1/payment_intents")
    for _ in range(3):
        with pytest.raises(sdk.APIError):
            an_auto_top_up(connected(sandbox, max_network_retries=2), customer)

    (intent,) = stripe.v1.payment_intents.list({"customer": customer.id}).data
    assert (intent.status, intent.metadata["attempt"], _charges(sandbox)) == ("succeeded", "attempt_1", 1)


def test_an_answer_can_come_too_late(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    customer = a_customer(stripe, "pm_card_visa")
    hasty = connected(sandbox, http_client=sdk.RequestsClient(timeout=0.2))
    sandbox.fails("hang", "/v1/payment_intents", seconds=0.6)
    began = time.monotonic()

    with pytest.raises(sdk.APIConnectionError):
        an_auto_top_up(hasty, customer)

    assert time.monotonic() - began < 0.6
    assert _charges(sandbox) == 1


def test_faults_wait_for_their_request(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    sandbox.fails("rate_limited", "/v1/cust*", method="POST", skip=1, times=2)
    stripe.v1.products.create({"name": "not a customer"})
    stripe.v1.customers.create()
    for _ in range(2):
        with pytest.raises(sdk.RateLimitError):
            stripe.v1.customers.create()
    stripe.v1.customers.create()

    assert len(sandbox.objects("customer")) == 2


def test_an_outage_lasts_until_it_is_over(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    sandbox.fails("drop_before", times=-1)
    for _ in range(3):
        with pytest.raises(sdk.APIConnectionError):
            stripe.v1.balance.retrieve()
    sandbox.control("DELETE", "/sandbox/faults")

    assert stripe.v1.balance.retrieve().available == []


def test_chaos_is_the_same_for_the_same_seed(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    def outcomes() -> list[str]:
        sandbox.control("POST", "/sandbox/chaos", shares={"rate_limited": 0.3, "drop_after": 0.2}, seed="7")
        done = [_tried(partial(stripe.v1.customers.create, {"name": str(number)})) for number in range(30)]
        sandbox.control("DELETE", "/sandbox/faults")
        return done

    first = outcomes()

    assert first == outcomes()
    assert set(first) == {"done", "RateLimitError", "APIConnectionError"}


def test_chaos_and_retries_end_with_one_charge_each(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    customer = a_customer(stripe, "pm_card_visa")
    sandbox.control(
        "POST", "/sandbox/chaos", shares={"rate_limited": 0.2, "drop_after": 0.2, "drop_before": 0.2}, seed="3"
    )

    for number in range(20):
        _until_done(partial(an_auto_top_up, stripe, customer, key=str(number)))

    assert _charges(sandbox) == 20


def _until_done(call: Any) -> None:
    while _tried(call) != "done":
        pass


def _tried(call: Any) -> str:
    import stripe as sdk

    try:
        call()
    except (sdk.RateLimitError, sdk.APIConnectionError) as problem:
        return type(problem).__name__
    return "done"


def _charges(sandbox: SandboxProcess) -> int:
    count: int = sandbox.totals().get("usd", {"charges": 0})["charges"]
    return count
