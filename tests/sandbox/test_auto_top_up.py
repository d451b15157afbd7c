"""A card on file is charged while its owner is away."""

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.conftest import connected
from tests.sandbox.process import SandboxProcess
from tests.sandbox.shop import a_customer, an_auto_top_up

if TYPE_CHECKING:
    from stripe import StripeClient


def test_a_good_card_is_charged_at_once(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    customer = a_customer(stripe, "pm_card_visa")

    intent = an_auto_top_up(stripe, customer)

    assert (intent.status, intent.amount_received) == ("succeeded", 2000)
    assert sandbox.totals(customer.id)["usd"]["charged"] == 2000


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
        ("pm_card_authenticationRequiredOnSetup", "authentication_required", "authentication_required"),
    ],
)
def test_a_refusal_says_why_and_charges_nothing(
    sandbox: SandboxProcess, stripe: "StripeClient", card: str, code: str, decline_code: str
) -> None:
    import stripe as sdk

    customer = a_customer(stripe, card)

    with pytest.raises(sdk.CardError) as refusal:
        an_auto_top_up(stripe, customer)

    error = refusal.value.error
    assert (refusal.value.http_status, error.code, error.decline_code) == (402, code, decline_code)
    assert error.payment_intent.status == "requires_payment_method"
    kept = stripe.v1.payment_intents.retrieve(error.payment_intent.id)
    assert kept.last_payment_error is not None
    assert kept.last_payment_error.payment_method is not None
    assert (kept.last_payment_error.code, kept.metadata["attempt"]) == (code, "attempt_1")
    assert sandbox.totals() == {}


def test_a_saved_card_may_start_to_fail(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    customer = a_customer(stripe, "pm_card_visa")
    card = customer.invoice_settings.default_payment_method
    an_auto_top_up(stripe, customer, key="first")

    name = "pm_card_visa_chargeDeclinedInsufficientFunds"
    sandbox.control("POST", f"/sandbox/payment_methods/{card}", behaves_like=name)

    with pytest.raises(sdk.CardError, match="insufficient funds"):
        an_auto_top_up(stripe, customer, key="second")
    assert sandbox.totals()["usd"]["charges"] == 1


def test_the_customer_comes_back_and_authenticates(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    customer = a_customer(stripe, "pm_card_authenticationRequired")
    with pytest.raises(sdk.CardError) as refusal:
        an_auto_top_up(stripe, customer)
    intent, card = refusal.value.error.payment_intent, refusal.value.error.payment_method

    waiting = stripe.v1.payment_intents.confirm(
        intent.id, {"payment_method": card.id, "return_url": "https://shop.example/back"}
    )
    assert waiting.status == "requires_action"
    sandbox.control("POST", f"/sandbox/authenticate/{intent.id}", succeeds=True)

    assert stripe.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    assert sandbox.totals()["usd"] | {"fees": 0, "net": 0} == {
        "charges": 1,
        "charged": 2000,
        "refunded": 0,
        "disputed": 0,
        "fees": 0,
        "net": 0,
    }


def test_confirming_in_front_of_the_customer_needs_somewhere_to_return_to(
    sandbox: SandboxProcess, stripe: "StripeClient"
) -> None:
    import stripe as sdk

    customer = a_customer(stripe, "pm_card_visa")
    with pytest.raises(sdk.InvalidRequestError, match="return_url"):
        stripe.v1.payment_intents.create(
            {
                "amount": 500,
                "currency": "usd",
                "customer": customer.id,
                "payment_method": "pm_card_visa",
                "confirm": True,
            }
        )
    assert sandbox.objects("payment_intent") == []


def test_somebody_elses_card_is_refused(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    ada, bob = a_customer(stripe, "pm_card_visa"), a_customer(stripe, "pm_card_visa")
    cards = stripe.v1.customers.payment_methods.list(bob.id)

    with pytest.raises(sdk.InvalidRequestError, match="does not belong to the Customer"):
        an_auto_top_up(stripe, ada, payment_method=cards.data[0].id)


def test_a_card_nobody_keeps_pays_once(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    customer = a_customer(stripe, "pm_card_visa")
    loose = stripe.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    detached = stripe.v1.payment_methods.detach(str(customer.invoice_settings.default_payment_method))
    an_auto_top_up(stripe, customer, key="1", payment_method=loose.id)

    for key, card in (("2", loose), ("3", detached)):
        with pytest.raises(sdk.InvalidRequestError, match="may not be used again"):
            an_auto_top_up(stripe, customer, key=key, payment_method=card.id)
    assert sandbox.totals()["usd"]["charges"] == 1


def test_a_retry_after_a_lost_answer_charges_once(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    customer = a_customer(stripe, "pm_card_visa")
    sandbox.fails("drop_after", "/v1/payment_intents")

    with pytest.raises(sdk.APIConnectionError):
        an_auto_top_up(stripe, customer)
    assert sandbox.totals()["usd"]["charges"] == 1
    again = an_auto_top_up(stripe, customer)

    assert again.status == "succeeded"
    assert sandbox.totals()["usd"]["charges"] == 1
    assert [request["replayed"] for request in _requests(sandbox, "/v1/payment_intents")] == [False, True]


def test_the_sdks_own_retries_meet_the_same_answer(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    customer = a_customer(stripe, "pm_card_visa")
    sandbox.fails("drop_after", "/v1/payment_intents")

    intent = an_auto_top_up(connected(sandbox, max_network_retries=2), customer)

    assert intent.status == "succeeded"
    assert sandbox.totals()["usd"]["charges"] == 1


def test_a_decline_is_remembered_with_its_key(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    customer = a_customer(stripe, "pm_card_chargeCustomerFail")
    for _ in range(2):
        with pytest.raises(sdk.CardError):
            an_auto_top_up(stripe, customer)

    assert len(sandbox.objects("payment_intent")) == 1
    assert len(sandbox.objects("charge")) == 1


def _requests(sandbox: SandboxProcess, path: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = sandbox.control("GET", f"/sandbox/requests?path={path}")["requests"]
    return found
