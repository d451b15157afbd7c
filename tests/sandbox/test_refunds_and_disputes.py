"""Money going back: by the seller's choice, or by the customer's bank."""

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.process import SandboxProcess
from tests.sandbox.shop import a_customer, an_auto_top_up

if TYPE_CHECKING:
    from stripe import StripeClient


def test_refunded_in_parts_and_never_more_than_paid(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    intent = an_auto_top_up(stripe, a_customer(stripe, "pm_card_visa"), 2000)
    part = stripe.v1.refunds.create({"payment_intent": intent.id, "amount": 800, "reason": "requested_by_customer"})
    assert (part.status, part.amount, part.charge) == ("succeeded", 800, intent.latest_charge)

    with pytest.raises(sdk.InvalidRequestError, match="greater than unrefunded amount"):
        stripe.v1.refunds.create({"payment_intent": intent.id, "amount": 1201})
    stripe.v1.refunds.create({"charge": str(intent.latest_charge)})
    with pytest.raises(sdk.InvalidRequestError) as refusal:
        stripe.v1.refunds.create({"payment_intent": intent.id})

    assert refusal.value.code == "charge_already_refunded"
    charge = stripe.v1.charges.retrieve(str(intent.latest_charge), {"expand": ["refunds"]})
    assert charge.refunds is not None
    assert (charge.refunded, charge.amount_refunded) == (True, 2000)
    assert [refund.amount for refund in charge.refunds.data] == [1200, 800]
    assert sandbox.totals()["usd"]["refunded"] == 2000
    assert sandbox.totals()["usd"]["net"] == -88  # Stripe keeps its fee


def test_a_refund_can_fail_days_later(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    intent = an_auto_top_up(stripe, a_customer(stripe, "pm_card_visa"), 2000)
    refund = stripe.v1.refunds.create({"payment_intent": intent.id, "amount": 800})

    sandbox.control("POST", f"/sandbox/refunds/{refund.id}/fail")

    assert stripe.v1.refunds.retrieve(refund.id).status == "failed"
    assert stripe.v1.charges.retrieve(str(intent.latest_charge)).amount_refunded == 0
    assert sandbox.totals()["usd"]["refunded"] == 0
    assert "refund.failed" in [event.type for event in stripe.v1.events.list({"limit": 5}).data]


@pytest.mark.parametrize(("won", "disputed", "net"), [(True, 0, 412), (False, 2000, -1588)])
def test_a_dispute_takes_the_money_until_it_is_won(
    sandbox: SandboxProcess, stripe: "StripeClient", won: bool, disputed: int, net: int
) -> None:
    import stripe as sdk

    intent = an_auto_top_up(stripe, a_customer(stripe, "pm_card_visa"), 2000)
    opened = sandbox.control("POST", f"/sandbox/charges/{intent.latest_charge}/dispute", reason="fraudulent")
    assert sandbox.totals()["usd"]["disputed"] == 2000
    with pytest.raises(sdk.InvalidRequestError) as refusal:
        stripe.v1.refunds.create({"payment_intent": intent.id})
    assert refusal.value.code == "charge_disputed"

    sandbox.control("POST", f"/sandbox/disputes/{opened['id']}/close", won=won)

    dispute = stripe.v1.disputes.retrieve(opened["id"])
    assert (dispute.status, dispute.payment_intent) == ("won" if won else "lost", intent.id)
    assert len(dispute.balance_transactions) == (2 if won else 1)
    assert sandbox.totals()["usd"] == {
        "charges": 1,
        "charged": 2000,
        "refunded": 0,
        "disputed": disputed,
        "fees": 88 + 1500,
        "net": net,
    }


def test_evidence_decides_as_in_stripes_test_mode(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    intent = an_auto_top_up(stripe, a_customer(stripe, "pm_card_visa"), 2000)
    opened = sandbox.control("POST", f"/sandbox/charges/{intent.latest_charge}/dispute")

    stripe.v1.disputes.update(opened["id"], {"evidence": {"uncategorized_text": "winning_evidence"}})

    assert stripe.v1.disputes.retrieve(opened["id"]).status == "won"


def test_a_card_whose_payments_are_always_disputed(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    an_auto_top_up(stripe, a_customer(stripe, "pm_card_createDispute"), 2000)

    disputes = stripe.v1.disputes.list().data

    assert [(dispute.reason, dispute.status) for dispute in disputes] == [("fraudulent", "needs_response")]


def test_part_refunded_then_disputed_for_the_rest(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    intent = an_auto_top_up(stripe, a_customer(stripe, "pm_card_visa"), 2000)
    stripe.v1.refunds.create({"payment_intent": intent.id, "amount": 800})

    sandbox.control("POST", f"/sandbox/charges/{intent.latest_charge}/dispute")

    totals = sandbox.totals()["usd"]
    assert (totals["refunded"], totals["disputed"]) == (800, 1200)
