"""Subscriptions through their life: renewed, changed, pursued, paused, ended."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.process import SandboxProcess
from tests.sandbox.shop import a_customer, a_plan, a_subscription

if TYPE_CHECKING:
    from stripe import Invoice, StripeClient, Subscription

NOON = int(datetime(2026, 11, 15, 12, tzinfo=UTC).timestamp())
MONTH = 30 * 86400
"""15 November to 15 December."""


def test_the_first_period_is_paid_at_once(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe))

    item = subscription["items"].data[0]
    assert (subscription.status, item.current_period_start, item.current_period_end) == ("active", NOON, NOON + MONTH)
    invoice = _latest(stripe, subscription)
    assert (invoice.status, invoice.billing_reason, invoice.amount_paid) == ("paid", "subscription_create", 3000)
    assert invoice.parent is not None
    assert invoice.parent.subscription_details is not None
    assert invoice.parent.subscription_details.subscription == subscription.id


def test_a_renewal_is_a_draft_for_an_hour_and_then_paid(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe))

    sandbox.later(seconds=MONTH)
    renewed = stripe.v1.subscriptions.retrieve(subscription.id)
    draft = _latest(stripe, renewed)
    assert renewed["items"].data[0].current_period_start == NOON + MONTH
    assert (draft.status, draft.billing_reason, draft.period_end) == ("draft", "subscription_cycle", NOON + MONTH)
    sandbox.later(seconds=3600)

    assert _latest(stripe, renewed).status == "paid"
    assert sandbox.totals()["usd"]["charged"] == 6000


def test_a_year_passes_at_once_in_the_right_order(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe))

    sandbox.later(days=366)

    paid = stripe.v1.invoices.list({"subscription": subscription.id, "limit": 100}).data
    assert [invoice.status for invoice in paid] == ["paid"] * 13
    starts = [invoice.lines.data[0].period.start for invoice in reversed(paid)]
    assert [datetime.fromtimestamp(start, UTC).day for start in starts] == [15] * 13
    assert starts == sorted(set(starts))
    assert sandbox.totals()["usd"]["charged"] == 13 * 3000


def test_items_that_wait_land_on_the_renewal(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe))
    overage = {"customer": str(subscription.customer), "amount": 1234, "currency": "usd", "description": "Overage"}
    stripe.v1.invoice_items.create({**overage, "subscription": subscription.id})

    sandbox.later(seconds=MONTH)
    late = stripe.v1.invoice_items.create({**overage, "amount": 66, "invoice": str(_renewed(stripe, subscription).id)})
    sandbox.later(seconds=3600)

    invoice = _renewed(stripe, subscription)
    assert [line.amount for line in invoice.lines.data] == [3000, 1234, 66]
    assert (invoice.status, invoice.amount_paid) == ("paid", 4300)
    assert stripe.v1.invoice_items.retrieve(late.id).invoice == invoice.id


def test_a_trial_costs_nothing_until_it_ends(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe), trial_period_days=14)
    first = _latest(stripe, subscription)
    assert (subscription.status, first.status, first.total) == ("trialing", "paid", 0)

    sandbox.later(days=12)
    assert "customer.subscription.trial_will_end" in _told(stripe)
    sandbox.later(days=3)

    assert stripe.v1.subscriptions.retrieve(subscription.id).status == "active"
    assert sandbox.totals()["usd"]["charged"] == 3000


def test_a_trial_can_be_cut_short_or_extended(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    short = a_subscription(stripe, a_plan(stripe), trial_period_days=14)
    long = a_subscription(stripe, a_plan(stripe), trial_period_days=14)
    sandbox.later(days=5)

    cut = stripe.v1.subscriptions.update(short.id, {"trial_end": "now"})
    stripe.v1.subscriptions.update(long.id, {"trial_end": NOON + 40 * 86400})
    assert (cut.status, _latest(stripe, cut).amount_paid) == ("active", 3000)
    assert cut["items"].data[0].current_period_start == NOON + 5 * 86400
    sandbox.later(days=20)

    assert stripe.v1.subscriptions.retrieve(long.id).status == "trialing"
    assert sandbox.totals()["usd"]["charges"] == 1


def test_a_paused_trial_goes_on_with_a_card(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    customer = a_customer(stripe)
    subscription = stripe.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": a_plan(stripe).id}],
            "trial_period_days": 7,
            "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        }
    )
    sandbox.later(days=8)
    card = stripe.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    stripe.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})

    resumed = stripe.v1.subscriptions.resume(subscription.id)

    assert (resumed.status, sandbox.totals()["usd"]["charged"]) == ("active", 3000)
    assert resumed["items"].data[0].current_period_start == NOON + 8 * 86400


@pytest.mark.parametrize(("behavior", "status"), [("cancel", "canceled"), ("pause", "paused")])
def test_a_trial_without_a_card_ends_as_agreed(
    sandbox: SandboxProcess, stripe: "StripeClient", behavior: Any, status: str
) -> None:
    customer = a_customer(stripe)
    subscription = stripe.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": a_plan(stripe).id}],
            "trial_period_days": 7,
            "trial_settings": {"end_behavior": {"missing_payment_method": behavior}},
        }
    )
    sandbox.later(days=8)

    assert stripe.v1.subscriptions.retrieve(subscription.id).status == status


def test_an_upgrade_is_charged_for_the_rest_of_the_period(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe, 3000))
    sandbox.later(days=15)  # half of thirty days

    changed = _change(stripe, subscription, a_plan(stripe, 9000).id, proration_behavior="always_invoice")

    invoice = _latest(stripe, changed)
    assert [line.amount for line in invoice.lines.data] == [-1500, 4500]
    assert all(line.parent.invoice_item_details.proration for line in invoice.lines.data)
    assert (invoice.status, invoice.billing_reason, invoice.amount_paid) == ("paid", "subscription_update", 3000)
    assert changed["items"].data[0].current_period_end == NOON + MONTH
    sandbox.later(days=16)
    assert sandbox.totals()["usd"]["charged"] == 3000 + 3000 + 9000


def test_an_upgrade_may_wait_for_the_next_invoice(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe, 3000))
    sandbox.later(days=15)
    _change(stripe, subscription, a_plan(stripe, 9000).id)

    waiting = stripe.v1.invoice_items.list({"pending": True}).data
    assert sorted((item.amount, item.proration) for item in waiting) == [(-1500, True), (4500, True)]
    assert sandbox.totals()["usd"]["charged"] == 3000
    sandbox.later(days=16)

    assert _renewed(stripe, subscription).amount_paid == 9000 + 3000


def test_a_preview_says_what_an_upgrade_will_cost_and_changes_nothing(
    sandbox: SandboxProcess, stripe: "StripeClient"
) -> None:
    subscription = a_subscription(stripe, a_plan(stripe, 3000))
    dearer = a_plan(stripe, 9000).id
    sandbox.later(days=15)
    events = len(sandbox.objects("event"))

    item = subscription["items"].data[0].id
    preview = stripe.v1.invoices.create_preview(
        {
            "subscription": subscription.id,
            "subscription_details": {
                "items": [{"id": item, "price": dearer}],
                "proration_behavior": "always_invoice",
            },
        }
    )

    assert (preview.amount_due, [line.amount for line in preview.lines.data]) == (3000, [-1500, 4500])
    assert len(sandbox.objects("event")) == events
    assert stripe.v1.subscriptions.retrieve(subscription.id)["items"].data[0].price.unit_amount == 3000
    renewal = stripe.v1.invoices.create_preview({"subscription": subscription.id})
    assert (renewal.amount_due, renewal.billing_reason) == (3000, "upcoming")


def test_a_downgrade_without_proration_costs_less_from_the_next_period(
    sandbox: SandboxProcess, stripe: "StripeClient"
) -> None:
    subscription = a_subscription(stripe, a_plan(stripe, 9000))
    sandbox.later(days=10)
    _change(stripe, subscription, a_plan(stripe, 3000).id, proration_behavior="none")
    assert sandbox.totals()["usd"]["charged"] == 9000

    sandbox.later(days=21)

    assert sandbox.totals()["usd"]["charged"] == 12000


def test_a_prorated_downgrade_is_credit_for_later_invoices(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe, 9000))
    sandbox.later(days=15)

    changed = _change(stripe, subscription, a_plan(stripe, 3000).id, proration_behavior="always_invoice")
    assert (_latest(stripe, changed).total, _latest(stripe, changed).status) == (-3000, "paid")
    assert stripe.v1.customers.retrieve(str(subscription.customer)).balance == -3000
    sandbox.later(days=16)

    assert _renewed(stripe, subscription).amount_due == 0  # 3000 less the credit
    assert sandbox.totals()["usd"]["charged"] == 9000


def test_another_interval_starts_a_new_period_at_once(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe, 3000))
    sandbox.later(days=15)

    changed = _change(stripe, subscription, a_plan(stripe, 30000, interval="year").id)

    assert changed.billing_cycle_anchor == NOON + 15 * 86400
    assert sorted(line.amount for line in _latest(stripe, changed).lines.data) == [-1500, 30000]
    assert sandbox.totals()["usd"]["charged"] == 3000 + 28500


def test_an_upgrade_can_wait_for_its_payment(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe, 3000))
    _card_starts_to_fail(sandbox)
    sandbox.later(days=15)

    waiting = _change(
        stripe,
        subscription,
        a_plan(stripe, 9000).id,
        proration_behavior="always_invoice",
        payment_behavior="pending_if_incomplete",
    )
    assert waiting.pending_update is not None
    assert (waiting.status, waiting["items"].data[0].price.unit_amount) == ("active", 3000)
    sandbox.control("POST", f"/sandbox/invoices/{waiting.latest_invoice}/pay", payment_method="pm_card_visa")

    applied = stripe.v1.subscriptions.retrieve(subscription.id)
    assert (applied.pending_update, applied["items"].data[0].price.unit_amount) == (None, 9000)


def test_an_unpaid_pending_upgrade_is_dropped(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe, 3000))
    _card_starts_to_fail(sandbox)
    behavior = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
    waiting = _change(stripe, subscription, a_plan(stripe, 9000).id, **behavior)

    sandbox.later(days=1)

    kept = stripe.v1.subscriptions.retrieve(subscription.id)
    assert (kept.pending_update, kept.status, kept["items"].data[0].price.unit_amount) == (None, "active", 3000)
    assert stripe.v1.invoices.retrieve(str(waiting.latest_invoice)).status == "void"


def test_an_upgrade_or_nothing(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    subscription = a_subscription(stripe, a_plan(stripe, 3000))
    _card_starts_to_fail(sandbox)
    behavior = {"proration_behavior": "always_invoice", "payment_behavior": "error_if_incomplete"}

    with pytest.raises(sdk.CardError):
        _change(stripe, subscription, a_plan(stripe, 9000).id, **behavior)

    assert stripe.v1.subscriptions.retrieve(subscription.id)["items"].data[0].price.unit_amount == 3000
    assert len(sandbox.objects("invoice")) == 1


def test_a_failed_first_payment_leaves_it_incomplete_for_a_day(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    paid = a_subscription(stripe, a_plan(stripe), "pm_card_chargeCustomerFail")
    never = a_subscription(stripe, a_plan(stripe), "pm_card_chargeCustomerFail")
    assert (paid.status, never.status) == ("incomplete", "incomplete")

    sandbox.control("POST", f"/sandbox/invoices/{paid.latest_invoice}/pay", payment_method="pm_card_visa")
    sandbox.later(days=1)

    assert stripe.v1.subscriptions.retrieve(paid.id).status == "active"
    assert stripe.v1.subscriptions.retrieve(never.id).status == "incomplete_expired"


def test_nothing_is_left_of_a_subscription_that_had_to_be_paid(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    import stripe as sdk

    with pytest.raises(sdk.CardError) as refusal:
        a_subscription(stripe, a_plan(stripe), "pm_card_chargeCustomerFail", payment_behavior="error_if_incomplete")

    assert refusal.value.code == "card_declined"
    assert (sandbox.objects("subscription"), sandbox.objects("invoice")) == ([], [])


def test_a_first_payment_can_be_left_to_the_customers_page(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    waiting = a_subscription(
        stripe, a_plan(stripe), payment_behavior="default_incomplete", expand=["latest_invoice.payments"]
    )
    assert waiting.status == "incomplete"
    intent = str(waiting.latest_invoice.payments.data[0].payment.payment_intent)
    assert stripe.v1.payment_intents.retrieve(intent).status == "requires_payment_method"

    stripe.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa", "return_url": "https://shop.example/"})

    assert stripe.v1.subscriptions.retrieve(waiting.id).status == "active"


def test_billing_can_be_aligned_to_a_day(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    first_of_december = int(datetime(2026, 12, 1, 12, tzinfo=UTC).timestamp())
    subscription = a_subscription(stripe, a_plan(stripe, 3000), billing_cycle_anchor=first_of_december)
    assert _latest(stripe, subscription).amount_paid == 1600  # 16 of November's 30 days

    sandbox.later(days=17)

    assert _renewed(stripe, subscription).amount_paid == 3000
    assert sandbox.objects("subscription")[0]["items"]["data"][0]["current_period_start"] == first_of_december


@pytest.mark.parametrize("end", ["cancel", "unpaid", "past_due"])
def test_a_failed_renewal_is_pursued_to_the_end(sandbox: SandboxProcess, stripe: "StripeClient", end: str) -> None:
    sandbox.control("POST", "/sandbox/settings", after_last_retry=end)
    subscription = a_subscription(stripe, a_plan(stripe))
    _card_starts_to_fail(sandbox)

    sandbox.later(seconds=MONTH + 3600)
    assert stripe.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    failed = _renewed(stripe, subscription)
    assert (failed.status, failed.attempt_count) == ("open", 1)
    assert failed.next_payment_attempt == NOON + MONTH + 3600 + 3 * 86400
    sandbox.later(days=16)

    status = stripe.v1.subscriptions.retrieve(subscription.id).status
    assert status == {"cancel": "canceled"}.get(end, end)
    assert stripe.v1.invoices.retrieve(str(failed.id)).attempt_count == 4
    assert sandbox.totals()["usd"]["charged"] == 3000


def test_a_new_card_mends_a_past_due_subscription(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe))
    _card_starts_to_fail(sandbox)
    sandbox.later(seconds=MONTH + 3600)

    card = stripe.v1.payment_methods.attach("pm_card_mastercard", {"customer": str(subscription.customer)})
    stripe.v1.subscriptions.update(subscription.id, {"default_payment_method": card.id})
    stripe.v1.invoices.pay(str(_renewed(stripe, subscription).id))

    assert stripe.v1.subscriptions.retrieve(subscription.id).status == "active"
    assert sandbox.totals()["usd"]["charged"] == 6000


def test_a_renewal_that_needs_authentication_waits_for_the_customer(
    sandbox: SandboxProcess, stripe: "StripeClient"
) -> None:
    subscription = a_subscription(stripe, a_plan(stripe))
    _card_starts_to_fail(sandbox, "pm_card_authenticationRequired")
    sandbox.later(seconds=MONTH + 3600)

    invoice = _renewed(stripe, subscription, "payments", "confirmation_secret")
    intent = str(invoice.payments.data[0].payment.payment_intent)
    assert invoice.confirmation_secret is not None
    assert invoice.confirmation_secret.client_secret.startswith(intent)
    assert "invoice.payment_action_required" in _told(stripe)
    sandbox.control("POST", f"/sandbox/authenticate/{intent}", succeeds=True)

    assert stripe.v1.subscriptions.retrieve(subscription.id).status == "active"
    assert _renewed(stripe, subscription).status == "paid"


def test_it_can_end_with_its_period_and_change_its_mind(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    leaves, stays = a_subscription(stripe, a_plan(stripe)), a_subscription(stripe, a_plan(stripe))
    for one in (leaves, stays):
        ending = stripe.v1.subscriptions.update(one.id, {"cancel_at_period_end": True})
        assert (ending.status, ending.cancel_at) == ("active", NOON + MONTH)
    stripe.v1.subscriptions.update(stays.id, {"cancel_at_period_end": False})

    sandbox.later(days=31)

    assert stripe.v1.subscriptions.retrieve(leaves.id).status == "canceled"
    assert stripe.v1.subscriptions.retrieve(stays.id).status == "active"
    assert sandbox.totals()["usd"]["charges"] == 3
    assert _told(stripe).count("customer.subscription.deleted") == 1


def test_it_can_end_on_a_day_of_its_own(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe))
    stripe.v1.subscriptions.update(subscription.id, {"cancel_at": NOON + 10 * 86400})

    sandbox.later(days=10)

    ended = stripe.v1.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", NOON + 10 * 86400)
    assert [one.id for one in stripe.v1.subscriptions.list().data] == []
    assert [one.id for one in stripe.v1.subscriptions.list({"status": "all"}).data] == [subscription.id]


def test_seats_and_a_setup_fee_are_lines_of_their_own(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    seat, fee = a_plan(stripe, 500), stripe.v1.products.create({"name": "Setup"})
    customer = a_customer(stripe, "pm_card_visa")
    subscription = stripe.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": a_plan(stripe).id}, {"price": seat.id, "quantity": 4}],
            "add_invoice_items": [{"price_data": {"currency": "usd", "product": fee.id, "unit_amount": 9900}}],
        }
    )
    assert [line.amount for line in _latest(stripe, subscription).lines.data] == [3000, 2000, 9900]
    items = stripe.v1.subscription_items.list({"subscription": subscription.id}).data
    stripe.v1.subscriptions.update(
        subscription.id,
        {"items": [{"id": items[0].id}, {"id": items[1].id, "deleted": True}], "proration_behavior": "none"},
    )
    sandbox.later(days=31)

    assert _renewed(stripe, subscription).amount_paid == 3000


def test_invoices_may_be_sent_instead_of_charged(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(
        stripe, a_plan(stripe), "pm_card_visa", collection_method="send_invoice", days_until_due=14
    )
    assert (subscription.status, _latest(stripe, subscription).status) == ("active", "draft")
    sandbox.later(seconds=3600)

    sent = _latest(stripe, subscription)
    assert (sent.status, sent.due_date, sandbox.totals()) == ("open", NOON + 14 * 86400, {})
    assert "invoice.sent" in _told(stripe)


def test_cancelled_now_with_the_unused_time_credited(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe))
    sandbox.later(days=15)

    ended = stripe.v1.subscriptions.cancel(subscription.id, {"prorate": True, "invoice_now": True})

    assert ended.status == "canceled"
    assert stripe.v1.customers.retrieve(str(subscription.customer)).balance == -1500


def test_a_pause_makes_invoices_that_ask_for_nothing(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    subscription = a_subscription(stripe, a_plan(stripe))
    stripe.v1.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void"}})
    sandbox.later(days=31)
    assert _renewed(stripe, subscription).status == "void"

    stripe.v1.subscriptions.update(subscription.id, {"pause_collection": ""})
    sandbox.later(days=31)

    assert _renewed(stripe, subscription).status == "paid"
    assert sandbox.totals()["usd"]["charges"] == 2


def test_a_checkout_can_begin_a_subscription(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    session = stripe.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price": a_plan(stripe).id, "quantity": 2}],
            "success_url": "https://shop.example/",
            "subscription_data": {"metadata": {"plan": "pro"}},
        }
    )
    assert sandbox.pay(session.id, "pm_card_chargeCustomerFail")["session"]["status"] == "open"
    sandbox.pay(session.id, "pm_card_authenticationRequired", authentication="succeeds")

    done = stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "invoice"]})
    assert (done.status, done.payment_status, done.subscription.status) == ("complete", "paid", "active")
    assert (done.invoice.amount_paid, done.subscription.metadata["plan"]) == (6000, "pro")
    assert done.subscription.default_payment_method is not None
    assert len(sandbox.objects("subscription")) == 1


def test_a_customer_can_live_on_a_clock_of_its_own(sandbox: SandboxProcess, stripe: "StripeClient") -> None:
    clock = stripe.v1.test_helpers.test_clocks.create({"frozen_time": NOON})
    customer = a_customer(stripe, "pm_card_visa", test_clock=clock.id)
    plan = a_plan(stripe)
    theirs = stripe.v1.subscriptions.create({"customer": customer.id, "items": [{"price": plan.id}]})
    others = a_subscription(stripe, plan)

    stripe.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": NOON + 65 * 86400})

    assert stripe.v1.test_helpers.test_clocks.retrieve(clock.id).status == "ready"
    assert len(stripe.v1.invoices.list({"subscription": theirs.id}).data) == 3
    assert len(stripe.v1.invoices.list({"subscription": others.id}).data) == 1


def _change(stripe: "StripeClient", subscription: "Subscription", price: str, **more: Any) -> "Subscription":
    item = subscription["items"].data[0].id
    return stripe.v1.subscriptions.update(subscription.id, {"items": [{"id": item, "price": price}], **more})


def _latest(stripe: "StripeClient", subscription: "Subscription") -> "Invoice":
    return stripe.v1.invoices.retrieve(str(subscription.latest_invoice))


def _renewed(stripe: "StripeClient", subscription: "Subscription", *expand: str) -> "Invoice":
    latest = stripe.v1.subscriptions.retrieve(subscription.id).latest_invoice
    return stripe.v1.invoices.retrieve(str(latest), {"expand": list(expand)})


def _card_starts_to_fail(sandbox: SandboxProcess, how: str = "pm_card_chargeCustomerFail") -> None:
    for card in sandbox.objects("payment_method"):
        sandbox.control("POST", f"/sandbox/payment_methods/{card['id']}", behaves_like=how)


def _told(stripe: "StripeClient") -> list[str]:
    return [event.type for event in stripe.v1.events.list({"limit": 100}).auto_paging_iter()]
