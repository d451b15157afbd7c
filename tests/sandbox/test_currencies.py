"""Amounts are in the smallest unit of their currency, and currencies are never added up."""

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.process import SandboxProcess
from tests.sandbox.shop import a_checkout, a_customer, a_plan, a_subscription, an_auto_top_up

if TYPE_CHECKING:
    from stripe import StripeClient


@pytest.mark.parametrize(("currency", "amount"), [("jpy", 2000), ("usd", 1999), ("kwd", 5120), ("isk", 250000)])
def test_zero_two_and_three_decimals(
    sandbox: SandboxProcess, stripe: "StripeClient", currency: str, amount: int
) -> None:
    session = a_checkout(stripe, amount, currency)
    assert (session.amount_total, session.currency) == (amount, currency)

    sandbox.pay(session.id)

    assert sandbox.totals()[currency]["charged"] == amount


@pytest.mark.parametrize(
    ("currency", "amount", "complaint"),
    [
        ("kwd", 5125, "divisible by 10"),
        ("isk", 250050, "divisible by 100"),
        ("usd", 49, "at least 0.50 USD"),
        ("jpy", 49, "at least 50 JPY"),
        ("usd", 100_000_000, "no more than"),
    ],
)
def test_amounts_no_bank_would_charge(
    sandbox: SandboxProcess, stripe: "StripeClient", currency: str, amount: int, complaint: str
) -> None:
    import stripe as sdk

    customer = a_customer(stripe, "pm_card_visa")
    with pytest.raises(sdk.InvalidRequestError, match=complaint):
        an_auto_top_up(stripe, customer, amount, currency=currency)
    assert sandbox.objects("payment_intent") == []


def test_totals_stand_side_by_side(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    customer = a_customer(stripe, "pm_card_visa")
    for key, (currency, amount) in enumerate([("usd", 1000), ("jpy", 1000), ("usd", 500), ("kwd", 1000)]):
        an_auto_top_up(stripe, customer, amount, key=str(key), currency=currency)
    intent = sandbox.objects("payment_intent")[0]
    stripe.v1.refunds.create({"payment_intent": intent["id"], "amount": 400})

    totals = sandbox.totals()

    assert {currency: of["charged"] for currency, of in totals.items()} == {"jpy": 1000, "kwd": 1000, "usd": 1500}
    assert {currency: of["refunded"] for currency, of in totals.items()} == {"jpy": 0, "kwd": 400, "usd": 0}


def test_a_subscription_in_yen(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe, 4980, "jpy"))
    sandbox.later(days=32)

    assert subscription.currency == "jpy"
    assert sandbox.totals()["jpy"]["charged"] == 9960
