"""Money that goes back takes its credits with it, to the microcredit, once; money that returns brings them again."""

import random

import pytest
from moneyed import Money

from billing.models import AutoTopUp, Payment, Reversal
from billing.services.auto_top_ups import AutoTopUpTerms, set_auto_top_up
from billing.stripe.client import client
from entitlements.models import EntryKind, OutboxMessage
from tests.billing.cast import Buyer, Shop
from tests.world import CREDIT

pytestmark = pytest.mark.django_db


def refund(shop: Shop, buyer: Buyer, minor: int | None = None, key: str = "order-1") -> str:
    """Somebody refunds at Stripe; whether we have heard of it is the post's matter."""
    asked = {"payment_intent": buyer.order(key).payment_intent_id} | ({} if minor is None else {"amount": minor})
    return str(client().v1.refunds.create(asked).id)  # type: ignore[arg-type]


def dispute(shop: Shop, buyer: Buyer, key: str = "order-1") -> str:
    charge = Payment.objects.get(order=buyer.order(key)).raw["latest_charge"]["id"]
    return str(shop.stripe.control("POST", f"/sandbox/charges/{charge}/dispute")["id"])


def close(shop: Shop, dispute_id: str, *, won: bool) -> None:
    shop.stripe.control("POST", f"/sandbox/disputes/{dispute_id}/close", won=won)


def reversals() -> list[tuple[str, str, float, float]]:
    rows = Reversal.objects.order_by("recorded_at", "kind", "amount")
    return [
        (row.kind, str(row.amount.amount), row.unburned_microcredits / CREDIT, row.burned_microcredits / CREDIT)
        for row in rows
    ]


def customer_with_pack(shop: Shop, *, spent: int, pack: str = "thousand") -> Buyer:
    """Bought 1,000 credits for 50 dollars and spent some."""
    shop.pack("thousand", "50.00", credits=1000)
    acme = shop.buyer()
    acme.buys(pack)
    shop.deliver()
    if spent:
        acme.spends(spent, key="spent")
    return acme


def test_forty_percent_of_a_pack_half_burned(shop: Shop) -> None:
    acme = customer_with_pack(shop, spent=500)
    refund(shop, acme, 2000)
    shop.deliver()
    assert reversals() == [("refund", "-20.000", 400, 0)]
    assert acme.available == 100
    payment = Payment.objects.get()
    assert (payment.refunded, payment.disputed, payment.net) == (Money(20, "USD"), Money(0, "USD"), Money(50, "USD"))
    assert OutboxMessage.objects.get(kind="top_up.refunded").payload["credits"] == "400"
    shop.assert_proven()


def test_all_of_a_pack_half_burned_leaves_debt(shop: Shop) -> None:
    acme = customer_with_pack(shop, spent=500)
    refund(shop, acme)
    shop.deliver()
    assert reversals() == [("refund", "-50.000", 500, 500)]
    assert acme.available == -500
    shop.assert_proven()


def test_refunds_in_thirds_add_up_to_the_whole(shop: Shop) -> None:
    acme = customer_with_pack(shop, spent=0)
    for minor in (1666, 1667, None):
        refund(shop, acme, minor)
    letters = shop.letters()
    random.Random(3).shuffle(letters)
    shop.deliver(letters * 2)
    assert sum(row.unburned_microcredits for row in Reversal.objects.all()) == 1000 * CREDIT
    assert sum(row.amount.amount for row in Reversal.objects.all()) == -50
    assert acme.available == 0
    shop.assert_proven()


def test_a_refund_that_fails_days_later_gives_back(shop: Shop) -> None:
    acme = customer_with_pack(shop, spent=500)
    refunded = refund(shop, acme)
    shop.deliver()
    shop.stripe.control("POST", f"/sandbox/refunds/{refunded}/fail")
    shop.deliver()
    assert reversals() == [("refund", "-50.000", 500, 500), ("refund_failed", "50.000", 500, 500)]
    assert acme.available == 500
    assert Payment.objects.get().refunded == Money(0, "USD")
    shop.assert_proven()


def test_the_bonus_goes_back_in_the_same_proportion(shop: Shop) -> None:
    acme = customer_with_pack(shop, spent=0, pack="big")
    refund(shop, acme, 2000)  # a quarter of 80 dollars
    shop.deliver()
    assert reversals() == [("refund", "-20.000", 250, 0), ("refund", "0.000", 12.5, 0)]
    assert acme.available == 787.5
    shop.assert_proven()


def test_a_dispute_on_a_burned_pack_goes_below_zero_and_stops_auto_top_up(shop: Shop) -> None:
    acme = customer_with_pack(shop, spent=1000)
    acme.is_granted(30)
    set_auto_top_up("acme", AutoTopUpTerms(threshold_microcredits=5 * CREDIT, pack="small"), shop.now)
    dispute(shop, acme)
    shop.deliver()
    assert reversals() == [("dispute", "-50.000", 0, 1000)]
    assert acme.available == -970
    assert AutoTopUp.objects.get().paused_reason == "disputed"
    assert [entry.kind for entry in acme.ledger()][-3:] == [EntryKind.REVERSAL, EntryKind.BURN, EntryKind.DEBT_PAID]
    shop.assert_proven()


def test_a_dispute_won_restores_everything(shop: Shop) -> None:
    acme = customer_with_pack(shop, spent=700)
    set_auto_top_up("acme", AutoTopUpTerms(threshold_microcredits=5 * CREDIT, pack="small"), shop.now)
    opened = dispute(shop, acme)
    shop.deliver()
    assert acme.available == -700
    shop.stripe.later(days=20)
    close(shop, opened, won=True)
    shop.deliver()
    assert reversals() == [("dispute", "-50.000", 300, 700), ("dispute_won", "50.000", 300, 700)]
    assert acme.available == 300
    assert AutoTopUp.objects.get().paused_reason == ""
    won = Reversal.objects.get(kind="dispute_won")
    assert (won.occurred_at - Reversal.objects.get(kind="dispute").occurred_at).days == 20
    shop.assert_proven()


def test_a_dispute_lost_stays(shop: Shop) -> None:
    acme = customer_with_pack(shop, spent=700)
    opened = dispute(shop, acme)
    close(shop, opened, won=False)
    shop.deliver()
    assert reversals() == [("dispute", "-50.000", 300, 700)]
    assert acme.available == -700
    shop.assert_proven()


def test_won_before_we_heard_of_it_changes_nothing(shop: Shop) -> None:
    acme = customer_with_pack(shop, spent=700)
    close(shop, dispute(shop, acme), won=True)
    shop.deliver()
    assert (reversals(), acme.available) == ([], 300)
    shop.assert_proven()


def test_part_refunded_then_disputed_for_the_rest(shop: Shop) -> None:
    acme = customer_with_pack(shop, spent=500)
    refund(shop, acme, 2000)
    dispute(shop, acme)
    letters = shop.letters()
    shop.deliver(reversed(letters))
    assert sum(row.amount.amount for row in Reversal.objects.all()) == -50
    assert acme.available == -500
    shop.assert_proven()


def test_debt_paid_meanwhile_comes_back_when_the_dispute_is_won(shop: Shop) -> None:
    acme = customer_with_pack(shop, spent=1000)
    opened = dispute(shop, acme)
    shop.deliver()
    acme.buys("big", key="another")
    shop.deliver()
    assert acme.available == 50
    close(shop, opened, won=True)
    shop.deliver()
    assert acme.available == 1050
    shop.assert_proven()


@pytest.mark.parametrize(
    ("currency", "price", "part", "money"), [("JPY", "1000", 333, "-333"), ("KWD", "9.990", 3330, "-3.330")]
)
def test_a_third_in_each_currency(shop: Shop, currency: str, price: str, part: int, money: str) -> None:
    shop.pack("local", price, credits=999, currency=currency)
    acme = shop.buyer(currency=currency)
    acme.buys("local")
    shop.deliver()
    refund(shop, acme, part)
    shop.deliver()
    row = Reversal.objects.get()
    assert row.amount == Money(money, currency)
    assert row.unburned_microcredits == 999 * CREDIT * part // (1000 if currency == "JPY" else 9990)
    shop.assert_proven()


def test_tax_is_not_part_of_what_goes_back(shop: Shop, settings: object) -> None:
    settings.STRIPE_AUTOMATIC_TAX = True  # type: ignore[attr-defined]
    shop.stripe.control("POST", "/sandbox/settings", tax_percent=20)
    acme = shop.buyer()
    acme.buys()
    shop.deliver()
    refund(shop, acme, 600)  # half of 12.00, of which 10.00 were revenue
    shop.deliver()
    assert reversals() == [("refund", "-5.000", 50, 0)]


def test_refunded_before_we_heard_of_the_payment(shop: Shop) -> None:
    acme = shop.buyer()
    acme.buys()
    (intent,) = shop.stripe.objects("payment_intent")
    client().v1.refunds.create({"payment_intent": intent["id"]})
    shop.deliver(reversed(shop.letters()))
    assert (acme.order().state, acme.available) == ("paid", 0)
    shop.assert_proven()
