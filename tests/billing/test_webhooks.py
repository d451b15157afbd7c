"""Webhooks: proved before anything is believed, kept once, answered at once, and harmless in any crowd."""

import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from billing.convergence.inbox import process_due_events
from billing.convergence.sweep import sweep
from billing.models import StripeCustomer, StripeEvent
from entitlements.models import CreditGrant
from tests.billing.cast import Buyer, Shop
from tests.sandbox.process import SECRET
from tests.world import in_parallel

pytestmark = pytest.mark.django_db


def signed(body: str, *, secret: str = SECRET, age_seconds: int = 0) -> Any:
    import stripe

    at = int(time.time()) - age_seconds
    signature = stripe.WebhookSignature._compute_signature(f"{at}.{body}", secret)
    return {"event": "", "body": body, "signature": f"t={at},v1={signature}"}


def paid_letter(shop: Shop) -> Any:
    shop.buyer().buys()
    return next(letter for letter in shop.letters() if letter["type"] == "checkout.session.completed")


@pytest.mark.parametrize("fault", ["other secret", "stale", "altered", "unsigned", "no time", "not an event"])
def test_what_is_not_proved_is_refused_and_not_kept(shop: Shop, fault: str) -> None:
    letter = paid_letter(shop)
    body = letter["body"]
    bad = {
        "other secret": signed(body, secret="whsec_somebody_elses"),
        "stale": signed(body, age_seconds=301),
        "altered": letter | {"body": body.replace('"paid"', '"free"')},
        "unsigned": letter | {"signature": ""},
        "no time": letter | {"signature": letter["signature"].partition(",")[2]},
        "not an event": signed('{"id": "evt_1"}'),
    }[fault]
    answer = Client().post(
        "/webhooks/stripe", bad["body"], content_type="application/json", headers={"Stripe-Signature": bad["signature"]}
    )
    assert answer.status_code == 400
    assert json.loads(answer.content)["code"] == "webhook_signature_invalid"
    assert StripeEvent.objects.count() == 0


def test_replayed_within_the_tolerance_it_is_kept_once(shop: Shop) -> None:
    letter = paid_letter(shop)
    assert [shop.post(letter) for _ in range(3)] == [200, 200, 200]
    assert StripeEvent.objects.count() == 1


def test_while_a_secret_is_rotated_both_are_good(shop: Shop, settings: Any) -> None:
    letter = paid_letter(shop)
    settings.STRIPE_WEBHOOK_SECRET = f"whsec_the_new_one, {SECRET}"
    assert shop.post(letter) == 200
    assert shop.post(signed(letter["body"], secret="whsec_the_new_one")) == 200


def test_without_a_secret_nothing_is_believed(shop: Shop, settings: Any) -> None:
    letter = paid_letter(shop)
    settings.STRIPE_WEBHOOK_SECRET = ""
    assert shop.post(letter) == 400


def test_what_nobody_cares_for_is_not_kept(shop: Shop) -> None:
    for subject in ({"object": "balance"}, {"object": "payout", "id": "po_1"}):
        event = {"id": "evt_1", "type": "some.thing", "created": 1, "data": {"object": subject}}
        assert shop.post(signed(json.dumps(event))) == 200
    assert StripeEvent.objects.count() == 0


def test_the_body_is_not_believed_only_its_object_is_fetched(shop: Shop) -> None:
    acme = shop.buyer()
    acme.orders()
    event = json.loads(paid_letter_of_another(shop)["body"])
    event["data"]["object"]["id"] = acme.order().checkout_session_id
    shop.post(signed(json.dumps(event | {"id": "evt_lie"})))
    process_due_events(shop.now)
    assert acme.available == 0


def paid_letter_of_another(shop: Shop) -> Any:
    shop.buyer("another").buys()
    return next(letter for letter in shop.letters() if letter["type"] == "checkout.session.completed")


def test_an_event_of_what_is_gone_is_tried_again_less_and_less(shop: Shop) -> None:
    event = {"id": "evt_1", "type": "payment_intent.succeeded", "created": 1}
    event["data"] = {"object": {"object": "payment_intent", "id": "pi_nowhere"}}
    shop.post(signed(json.dumps(event)))
    process_due_events(shop.now)
    kept = StripeEvent.objects.get()
    assert (kept.attempts, kept.error.startswith("Gone: No such payment_intent")) == (1, True)
    assert (kept.next_try_at - shop.now).total_seconds() == 15  # type: ignore[operator]


@pytest.mark.django_db(transaction=True)
def test_completed_three_times_at_once_is_one_grant(shop: Shop) -> None:
    letter = paid_letter(shop)

    def arrives(_: int) -> int:
        status = shop.post(letter)
        StripeEvent.objects.update(processed_at=None, next_try_at=shop.now)  # as if each had been the first
        process_due_events(shop.now)
        return status

    assert in_parallel(3, arrives) == [200, 200, 200]
    assert CreditGrant.objects.count() == 1
    assert StripeEvent.objects.exclude(error="").count() == 0
    shop.assert_proven()


@pytest.mark.django_db(transaction=True)
def test_every_object_of_a_payment_at_once_is_one_grant(shop: Shop) -> None:
    from billing.convergence.inbox import converge

    order = shop.buyer().buys("big")
    (intent,) = shop.stripe.objects("payment_intent")
    things = [("payment_intent", intent["id"]), ("checkout.session", str(order.checkout_session_id))] * 3
    assert in_parallel(6, lambda number: converge(*things[number], shop.now)) == [None] * 6
    assert CreditGrant.objects.count() == 2
    shop.assert_proven()


CROWD = int(os.environ.get("CROWD", "8"))
"""How many customers the crowd has: CROWD=200 is what is promised, fewer is what has time in every run."""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_crowd_whose_webhooks_are_shuffled_doubled_and_half_dropped(shop: Shop) -> None:
    """Purchases, refunds and disputes in three currencies, several workers, then one sweep: no ledger is wrong."""
    dice = random.Random(11)
    shop.pack("yen", "1500", credits=100, currency="JPY")
    shop.pack("dinar", "3.070", credits=100, currency="KWD")
    packs = {"USD": "big", "JPY": "yen", "KWD": "dinar"}
    crowd = [shop.buyer(f"buyer-{number}", dice.choice(list(packs))) for number in range(CROWD)]
    for start in range(0, CROWD, 10):
        for buyer in crowd[start : start + 10]:
            misbehaves(shop, buyer, packs[buyer.row.currency], dice)
        arrive_badly(shop, dice)
    list(sweep(shop.now, repair=True))
    list(sweep(shop.now, repair=True))  # for what the first one did at Stripe, of which nobody told us either
    assert list(sweep(shop.now, repair=False)) == []
    shop.assert_proven()
    for buyer in crowd:
        assert abs(buyer.balance().available - paid_for(shop, buyer)) <= 4, buyer.key


def paid_for(shop: Shop, buyer: Buyer) -> int:
    """Microcredits of what Stripe says the customer has paid and not got back, all of it for the same pack."""
    (total,) = shop.stripe.totals(StripeCustomer.objects.get(customer=buyer.row).stripe_id).values()
    order = buyer.order()
    left = total["charged"] - total["refunded"] - total["disputed"]
    return (order.microcredits + order.bonus_microcredits) * left * 2 // total["charged"]


def misbehaves(shop: Shop, buyer: Buyer, pack: str, dice: random.Random) -> None:
    """Buys twice, and then perhaps gets money back, or has the bank take it."""
    from billing.stripe.client import client

    for number in (1, 2):
        order = buyer.buys(pack, key=f"order-{number}")
        if dice.random() < 0.5:
            continue
        session = client().v1.checkout.sessions.retrieve(str(order.checkout_session_id), {"expand": ["payment_intent"]})
        intent: Any = session.payment_intent
        if dice.random() < 0.6:
            for part in (0.3, 0.7)[: dice.choice((1, 2))]:
                client().v1.refunds.create(
                    {"payment_intent": intent.id, "amount": int(intent.amount * part) // 10 * 10}
                )
        else:
            opened = shop.stripe.control("POST", f"/sandbox/charges/{intent.latest_charge}/dispute")
            if dice.random() < 0.7:
                shop.stripe.control("POST", f"/sandbox/disputes/{opened['id']}/close", won=dice.random() < 0.5)


def arrive_badly(shop: Shop, dice: random.Random) -> None:
    """Shuffled, half lost, half of the rest doubled, brought by several couriers to several workers."""
    kept = [letter for letter in shop.letters() if dice.random() < 0.5]
    kept += [letter for letter in kept if dice.random() < 0.5]
    dice.shuffle(kept)

    def courier(letters: list[Any]) -> None:
        try:
            for letter in letters:
                assert shop.post(letter) == 200
            process_due_events(shop.now)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(courier, (kept[0::3], kept[1::3], kept[2::3])))
    assert list(StripeEvent.objects.exclude(error="").values_list("type", "error")) == []
