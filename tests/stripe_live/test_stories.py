"""The stories that need nobody in front of a page, told to Stripe itself."""

import pytest

from billing.convergence.inbox import converge
from billing.convergence.sweep import sweep
from billing.models import Reversal, TopUpOrder
from billing.services.charging import BACK_OFFS
from billing.services.top_ups import TopUpRequest, request_top_up
from billing.stripe.checkout import close_session
from billing.stripe.client import client
from tests.stripe_live.cast import Counter
from tests.world import assert_ledger_explains

pytestmark = pytest.mark.django_db

REQUEST = TopUpRequest(
    key="order-1", pack="small", success_url="https://example.com/thanks", cancel_url="https://example.com/packs"
)


def test_an_order_has_one_page_and_expires_with_it(counter: Counter) -> None:
    acme = counter.customer()
    order, _ = request_top_up(acme.key, REQUEST, counter.now)
    again, created = request_top_up(acme.key, REQUEST, counter.now)
    assert (again.url, created) == (order.url, False)
    close_session(str(order.checkout_session_id), key=f"close:{order.pk}")
    converge("checkout.session", str(order.checkout_session_id), counter.now)
    assert TopUpOrder.objects.get(pk=order.pk).state == "expired"


def test_a_card_on_file_is_charged_and_its_refund_taken_back(counter: Counter) -> None:
    acme = counter.customer("pm_card_visa")
    order = counter.keeps_above_fifty(acme)
    assert (order.state, acme.available) == ("paid", 140)
    refund = client().v1.refunds.create({"payment_intent": str(order.payment_intent_id), "amount": 250})
    converge("refund", refund.id, counter.now)
    assert Reversal.objects.get().unburned_microcredits == 25_000_000
    assert acme.available == 115
    assert_ledger_explains(acme.row.pk)


def test_a_declined_card_is_tried_again_as_the_same_payment(counter: Counter) -> None:
    acme = counter.customer("pm_card_chargeCustomerFail")
    order = counter.keeps_above_fifty(acme)
    assert (order.state, order.failure_code) == ("open", "generic_decline")
    counter.wait(int(BACK_OFFS[0].total_seconds() // 60))
    again = TopUpOrder.objects.get(pk=order.pk)
    assert (again.attempts, again.payment_intent_id) == (2, order.payment_intent_id)
    assert acme.available == 40


def test_a_bank_that_wants_to_see_the_customer_gets_a_page(counter: Counter) -> None:
    acme = counter.customer("pm_card_authenticationRequired")
    order = counter.keeps_above_fifty(acme)
    assert (order.state, order.url.startswith("http")) == ("needs_action", True)
    payments = client().v1.payment_intents.list({"customer": counter.at_stripe(acme)}).data
    assert [payment.status for payment in payments] == ["canceled"]


def test_the_sweep_reads_stripes_lists(counter: Counter) -> None:
    acme = counter.customer("pm_card_visa")
    order = counter.keeps_above_fifty(acme)
    found = [finding.what for finding in sweep(counter.now, repair=False)]
    assert any(str(order.payment_intent_id) in what for what in found)
