"""What every request has in common: keys, versions, errors, lists, expansion; and what the sandbox remembers."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.conftest import connected
from tests.sandbox.process import SandboxProcess
from tests.sandbox.shop import a_checkout, a_customer, a_plan, a_subscription

if TYPE_CHECKING:
    from stripe import StripeClient


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("sk_live_real", "live-mode key"),
        ("rk_live_real", "live-mode key"),
        ("pk_test_public", "Invalid API Key"),
        ("nonsense", "Invalid API Key"),
    ],
)
def test_only_test_mode_keys_are_taken(
    sandbox: SandboxProcess, stripe: "StripeClient", key: str, complaint: str
) -> None:
    import stripe as sdk

    with pytest.raises(sdk.AuthenticationError, match=complaint):
        stripe.v1.customers.list(options={"api_key": key})
    assert key not in str(sandbox.control("GET", "/sandbox/requests"))


def test_another_api_version_is_refused(sandbox: SandboxProcess) -> None:
    sdk = pytest.importorskip("stripe", reason="Stripe's SDK is not installed")
    with pytest.raises(sdk.InvalidRequestError, match="speaks 2026-08-26.dahlia only"):
        connected(sandbox, stripe_version="2026-10-28.endive").v1.customers.list()
    assert [violation["kind"] for violation in sandbox.violations()] == ["version"]
    sandbox.control("DELETE", "/sandbox/violations")


def test_what_is_not_there_is_not_found(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    with pytest.raises(sdk.InvalidRequestError) as missing:
        stripe.v1.customers.retrieve("cus_nobody")
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    with pytest.raises(sdk.InvalidRequestError) as referred:
        stripe.v1.refunds.create({"charge": "ch_nowhere"})
    assert (referred.value.http_status, referred.value.param) == (400, "charge")
    assert str(missing.value.request_id).startswith("req_")


def test_lists_come_newest_first_in_pages(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    made = [stripe.v1.customers.create({"name": str(number)}).id for number in range(25)][::-1]

    first = stripe.v1.customers.list()
    assert ([one.id for one in first.data], first.has_more) == (made[:10], True)
    second = stripe.v1.customers.list({"starting_after": first.data[-1].id, "limit": 20})
    assert ([one.id for one in second.data], second.has_more) == (made[10:], False)
    back = stripe.v1.customers.list({"ending_before": second.data[0].id, "limit": 4})
    assert [one.id for one in back.data] == made[6:10]
    assert [one.id for one in stripe.v1.customers.list({"limit": 7}).auto_paging_iter()] == made


def test_events_are_listed_by_kind_and_for_thirty_days(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    sandbox.pay(a_checkout(stripe).id)
    kinds = ["payment_intent.*", "charge.succeeded"]
    found = [event.type for event in stripe.v1.events.list({"types": kinds}).data]
    assert sorted(found) == ["charge.succeeded", "payment_intent.created", "payment_intent.succeeded"]

    sandbox.later(days=31)

    assert stripe.v1.events.list({"types": kinds}).data == []


def test_expansion_reaches_four_levels(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    subscription = a_subscription(stripe, a_plan(stripe))
    path = "latest_invoice.payments.data.payment.payment_intent"
    with pytest.raises(sdk.InvalidRequestError, match="more than 4 levels"):
        stripe.v1.subscriptions.retrieve(subscription.id, {"expand": [path]})
    with pytest.raises(sdk.InvalidRequestError, match="cannot be expanded"):
        stripe.v1.subscriptions.retrieve(subscription.id, {"expand": ["status"]})

    listed = stripe.v1.subscriptions.list({"expand": ["data.latest_invoice", "data.customer"]}).data[0]
    assert listed.latest_invoice.status == "paid"
    assert listed.customer.email == "ada@example.com"


def test_a_deleted_customer_leaves_a_tombstone(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    subscription = a_subscription(stripe, a_plan(stripe))
    customer = str(subscription.customer)
    stripe.v1.customers.delete(customer)

    assert stripe.v1.customers.retrieve(customer).to_dict() == {"id": customer, "object": "customer", "deleted": True}
    assert stripe.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    with pytest.raises(sdk.InvalidRequestError, match="No such customer"):
        stripe.v1.invoices.create({"customer": customer})


def test_the_catalogue_can_be_made_again_without_doubling(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    product = stripe.v1.products.create({"id": "weir_pro", "name": "Pro"})
    with pytest.raises(sdk.InvalidRequestError) as again:
        stripe.v1.products.create({"id": "weir_pro", "name": "Pro"})
    assert again.value.code == "resource_already_exists"
    asked: dict[str, Any] = {"product": product.id, "currency": "usd", "lookup_key": "pro_v1"}
    old = stripe.v1.prices.create({**asked, "unit_amount": 3000, "recurring": {"interval": "month"}})
    with pytest.raises(sdk.InvalidRequestError, match="already uses that lookup key"):
        stripe.v1.prices.create({**asked, "unit_amount": 4000})
    new = stripe.v1.prices.create({**asked, "unit_amount": 4000, "transfer_lookup_key": True})

    assert [price.id for price in stripe.v1.prices.list({"lookup_keys": ["pro_v1"]}).data] == [new.id]
    assert stripe.v1.prices.update(old.id, {"active": False}).lookup_key is None
    with pytest.raises(sdk.InvalidRequestError, match="inactive"):
        a_subscription(stripe, old)


def test_a_setup_intent_keeps_a_card(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    customer = a_customer(stripe)
    asked: Any = {"customer": customer.id, "confirm": True, "return_url": "https://shop.example/"}
    kept = stripe.v1.setup_intents.create({**asked, "payment_method": "pm_card_visa"})
    asks = stripe.v1.setup_intents.create({**asked, "payment_method": "pm_card_authenticationRequiredOnSetup"})
    with pytest.raises(sdk.CardError) as refusal:
        stripe.v1.setup_intents.create({**asked, "payment_method": "pm_card_visa_chargeDeclined"})
    sandbox.control("POST", f"/sandbox/authenticate/{asks.id}", succeeds=False)

    assert (kept.status, asks.status, refusal.value.code) == ("succeeded", "requires_action", "card_declined")
    assert stripe.v1.setup_intents.retrieve(asks.id).status == "requires_payment_method"
    cards = stripe.v1.payment_methods.list({"customer": customer.id, "type": "card"}).data
    assert [card.id for card in cards] == [kept.payment_method]


def test_the_balance_is_what_was_kept_of_every_movement(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    sandbox.pay(a_checkout(stripe).id)
    stripe.v1.refunds.create({"payment_intent": sandbox.objects("payment_intent")[0]["id"], "amount": 500})

    moves = stripe.v1.balance_transactions.list().data

    assert [(one.type, one.amount, one.fee) for one in moves] == [("refund", -500, 0), ("charge", 2000, 88)]
    assert stripe.v1.balance.retrieve().available[0].amount == 2000 - 88 - 500


def test_metadata_is_merged_and_removed_key_by_key(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    customer = stripe.v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    changed = stripe.v1.customers.update(customer.id, {"metadata": {"b": "", "c": "3"}})
    assert changed.to_dict()["metadata"] == {"a": "1", "c": "3"}
    assert stripe.v1.customers.update(customer.id, {"metadata": ""}).to_dict()["metadata"] == {}


def test_the_same_seed_gives_the_same_ids(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    def ids() -> list[str]:
        sandbox.control("POST", "/sandbox/reset")
        session = a_checkout(stripe, customer=a_customer(stripe).id)
        sandbox.pay(session.id)
        return [
            one["id"] for kind in ("customer", "payment_intent", "charge", "event") for one in sandbox.objects(kind)
        ]

    assert ids() == ids()


def test_everything_is_still_there_after_a_restart(tmp_path: Path) -> None:
    state, no_spec = str(tmp_path / "state.sqlite"), tmp_path / "none"  # which starts sooner
    with SandboxProcess(state=state, spec=no_spec) as before:
        stripe = connected(before)
        customer = a_customer(stripe, "pm_card_visa")
        subscription = stripe.v1.subscriptions.create(
            {"customer": customer.id, "items": [{"price": a_plan(stripe).id}]}
        )
        before.later(days=10)
        made = stripe.v1.customers.create({"name": "Bob"}, {"idempotency_key": "bob"})

    with SandboxProcess(state=state, spec=no_spec) as after:
        stripe = connected(after)
        assert stripe.v1.customers.create({"name": "Bob"}, {"idempotency_key": "bob"}).id == made.id
        assert stripe.v1.customers.create({"name": "Eve"}).id not in {made.id, customer.id}
        after.later(days=22)
        assert len(stripe.v1.invoices.list({"subscription": subscription.id}).data) == 2
        assert after.totals()["usd"]["charged"] == 6000


def test_the_clock_runs_unless_it_is_stopped(tmp_path: Path) -> None:
    with SandboxProcess(start=None, spec=tmp_path / "none") as process:
        assert abs(process.control("GET", "/sandbox/clock")["now"] - time.time()) < 5
        process.later(days=30)
        assert abs(process.control("GET", "/sandbox/clock")["now"] - time.time() - 30 * 86400) < 5
