"""Overage becomes money once: priced exactly, on one line of one invoice, whatever is late or lost on the way."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from moneyed import Money

from billing.models import OverageItem, StripeInvoice
from billing.overage.accruing import accrue
from billing.overage.invoicing import invoice_all
from billing.services.customers import stripe_customer_of
from billing.stripe import invoices
from billing.subscriptions.changing import cancel, change_plan
from billing.subscriptions.starting import Wanted, start_with_card
from entitlements.models import Entitlement, LedgerEntry
from entitlements.services.subscriptions import subscribe
from plans.models import Plan, PlanEntitlement, PlanVersion
from tests import accounts
from tests.billing.stripe_shop import Shop
from tests.world import CREDIT, LONG_AGO, Actor, assert_ledger_explains

MONTH = 30
CENT = "0.02"


def subscribed(shop: Shop, plan: PlanVersion) -> Actor:
    shop.opens()
    acme = shop.customer(card="pm_card_visa")
    start_with_card("acme", Wanted(key="k1", plan_version=plan), shop.now)
    shop.hears()
    return acme


def collects(shop: Shop) -> int:
    accrue(shop.now)
    return invoice_all(shop.now)


def items(actor: Actor) -> list[tuple[str, str]]:
    rows = OverageItem.objects.filter(customer=actor.row).order_by("seq")
    return [(row.state, f"{row.amount.amount.normalize():f}") for row in rows]


def lines(shop: Shop) -> list[tuple[str, list[int]]]:
    """Every invoice at Stripe that has overage on it, oldest first: its status and those amounts."""
    found = []
    for invoice in reversed(shop.sandbox.objects("invoice")):
        page = shop.stripe.v1.invoices.retrieve(invoice["id"]).lines.data
        amounts = [line.amount for line in page if "beyond" in (line.description or "")]
        if amounts:
            found.append((invoice["status"], amounts))
    return found


def plan_in(shop: Shop, currency: str, price: str, overage: str) -> PlanVersion:
    plan = Plan.objects.create(key=currency.lower(), name=currency)
    version = PlanVersion.objects.create(
        plan=plan,
        number=1,
        price=Money(price, currency),
        rate_card=shop.world.card,
        overage_price=Money(overage, currency),
    )
    PlanEntitlement.objects.create(plan_version=version, feature=shop.world.chat, at_limit="overage")
    version.status, version.published_at = PlanVersion.Status.PUBLISHED, LONG_AGO
    version.save()
    return version


def test_two_periods_with_usage_that_comes_late(shop: Shop) -> None:
    soft = shop.world.plan("soft", price="10", included=100, at_limit="overage", overage_price=CENT)
    acme = subscribed(shop, soft)
    acme.spends(150, key="a", now=shop.now)
    assert (collects(shop), items(acme)) == (0, [])  # the period is not over

    shop.later(days=MONTH, seconds=60)
    assert (collects(shop), items(acme)) == (1, [("invoiced", "1")])
    # Used in the first period, told in the second, when the first is billed already.
    late = shop.now - timedelta(days=3)
    acme.uses(accounts.fact("late", at=late, stated_microcredits=130 * CREDIT), now=shop.now)
    assert collects(shop) == 0
    shop.later(seconds=3600)
    shop.later(days=31)

    assert (collects(shop), items(acme)) == (1, [("invoiced", "1"), ("invoiced", "0.6")])
    shop.later(seconds=3600)
    assert lines(shop) == [("paid", [100]), ("paid", [60])]
    assert shop.sandbox.totals()["usd"]["charged"] == 1000 + 1100 + 1060
    assert (collects(shop), collects(shop)) == (0, 0)
    assert_ledger_explains(acme.row.pk)


def test_it_stands_on_the_renewal_or_on_an_invoice_of_its_own_when_that_is_closed(shop: Shop) -> None:
    acme = subscribed(shop, shop.world.metered)
    acme.spends(100, key="a", now=shop.now)
    shop.later(days=MONTH, seconds=7200)  # the draft was closed an hour ago

    assert collects(shop) == 1
    shop.later(seconds=1)

    invoice = StripeInvoice.objects.get(id=OverageItem.objects.get().invoice_id)
    assert (invoice.reason, invoice.status, invoice.total) == ("manual", "paid", Money(2, "USD"))


def test_the_end_of_a_period_waits_a_while_for_stripes_draft(shop: Shop) -> None:
    acme = subscribed(shop, shop.world.metered)
    acme.spends(100, key="a", now=shop.now)
    ahead = shop.now + timedelta(days=MONTH)  # our clock is ahead of Stripe's

    accrue(ahead)
    assert invoice_all(ahead) == 0
    shop.later(days=MONTH)
    assert invoice_all(shop.now) == 1

    assert OverageItem.objects.get().onto != ""


def test_no_draft_is_waited_for_in_vain(shop: Shop) -> None:
    acme = subscribed(shop, shop.world.metered)
    acme.spends(100, key="a", now=shop.now)
    cancel("acme", "period_end", shop.now)
    shop.later(days=MONTH)
    assert collects(shop) == 1
    assert OverageItem.objects.get().onto == ""


def test_a_customer_who_can_be_neither_charged_nor_written_to_waits_until_that_changes(shop: Shop) -> None:
    acme = shop.customer()
    subscribe("acme", shop.world.metered, shop.now)
    acme.spends(100, key="a", now=shop.now)
    shop.later(days=MONTH)
    assert (collects(shop), items(acme)) == (0, [("waiting", "2")])
    assert "no card" in OverageItem.objects.get().error
    shop.saves_card(acme.row.stripe, "pm_card_visa")
    assert collects(shop) == 0
    shop.later(seconds=3600)
    assert (collects(shop), OverageItem.objects.get().error) == (1, "")


def test_a_customer_without_a_card_gets_an_invoice_to_pay(shop: Shop) -> None:
    acme = shop.customer(email="ada@example.com")
    subscribe("acme", shop.world.metered, shop.now)
    acme.spends(100, key="a", now=shop.now)
    shop.later(days=MONTH)
    assert collects(shop) == 1
    invoice = shop.stripe.v1.invoices.retrieve(OverageItem.objects.get().invoice_id)
    assert (invoice.status, invoice.collection_method, invoice.total) == ("open", "send_invoice", 200)


def test_a_customer_stripe_does_not_know_is_not_invoiced_there_until_it_does(shop: Shop) -> None:
    acme = Actor("acme", shop.now, shop.world.metered)
    acme.row.email = "ada@example.com"
    acme.row.save()
    acme.spends(100, key="a", now=shop.now)
    shop.later(days=MONTH)
    assert (collects(shop), items(acme)) == (0, [("waiting", "2")])
    stripe_customer_of(acme.row, shop.now)
    assert collects(shop) == 1


def test_a_threshold_is_invoiced_before_the_period_ends_and_once(shop: Shop) -> None:
    eager = shop.world.plan(
        "eager", at_limit="overage", overage_price=CENT,
        overage_invoice_at_microcredits=100 * CREDIT, spend_cap_microcredits=300 * CREDIT,
    )  # fmt: skip
    acme = subscribed(shop, eager)
    acme.spends(99, key="a", now=shop.now)
    assert collects(shop) == 0
    acme.spends(101, key="b", now=shop.now)
    assert (collects(shop), items(acme)) == (1, [("invoiced", "4")])
    shop.later(seconds=1)
    assert lines(shop) == [("paid", [400])]

    acme.spends(150, key="c", now=shop.now)  # the cap is the period's: 100 of it are left
    assert (acme.balance(shop.now).overage, acme.balance(shop.now).debt) == (100 * CREDIT, 50 * CREDIT)
    shop.later(days=MONTH)
    assert (collects(shop), items(acme)[1:]) == (1, [("invoiced", "2")])


def test_a_grant_in_the_period_pays_overage_that_is_not_billed_yet_and_never_what_is(shop: Shop) -> None:
    acme = subscribed(shop, shop.world.metered)
    acme.spends(100, key="a", now=shop.now)
    acme.is_granted(60, key="first")
    shop.later(days=MONTH)
    collects(shop)
    assert items(acme) == [("invoiced", "0.8")]
    acme.now = shop.now
    acme.is_granted(60, key="second")
    assert acme.balance(shop.now).posted == 60 * CREDIT


def test_what_a_change_of_plan_bills_costs_what_the_old_plan_said(shop: Shop) -> None:
    dear = shop.world.plan("dear", price="10", at_limit="overage", overage_price="0.05")
    acme = subscribed(shop, shop.world.metered)
    shop.later(days=1)
    acme.spends(100, key="a", now=shop.now)
    change_plan("acme", dear, "now", shop.now)
    assert (collects(shop), items(acme)) == (1, [("invoiced", "2")])


@pytest.mark.parametrize(
    ("currency", "price", "overage", "credits", "amounts", "minor"),
    [
        ("JPY", "1500", "0.7", ["101", "103"], ["70", "72"], [70, 72]),
        ("KWD", "3.000", "0.0042", ["333", "334"], ["1.39", "1.41"], [1390, 1410]),
        ("USD", "10", "0.0333", ["100", "100.5"], ["3.33", "3.34"], [333, 334]),
    ],
    ids=["JPY", "KWD", "USD"],
)
def test_to_the_minor_unit_and_the_rest_is_carried(
    shop: Shop, currency: str, price: str, overage: str, credits: list[str], amounts: list[str], minor: list[int]
) -> None:
    version = plan_in(shop, currency, price, overage)
    shop.opens()
    acme = shop.customer(card="pm_card_visa", currency=currency)
    start_with_card("acme", Wanted(key="k1", plan_version=version), shop.now)
    for number, credit in enumerate(credits):
        acme.spends(credit, key=str(number), now=shop.now)
        shop.later(days=31)
        collects(shop)

    assert [amount for _, amount in items(acme)] == amounts
    assert [line for _, found in lines(shop) for line in found] == minor
    rows = list(OverageItem.objects.order_by("seq"))
    exact = sum(Decimal(credit) * Decimal(overage) for credit in credits)
    assert sum(row.exact for row in rows) == exact
    assert sum(row.amount.amount for row in rows) == exact - (
        rows[-1].exact + rows[-1].carried - rows[-1].amount.amount
    )


def test_less_than_can_be_charged_is_carried_on_and_charged_with_the_next(shop: Shop) -> None:
    acme = subscribed(shop, shop.world.metered)
    acme.spends("0.4", key="a", now=shop.now)  # 0.8 cents
    shop.later(days=31)
    assert (collects(shop), items(acme)) == (0, [("carried", "0")])
    acme.spends("0.4", key="b", now=shop.now)
    shop.later(days=31)
    assert (collects(shop), items(acme)[1:]) == (1, [("invoiced", "0.01")])


def test_overage_without_a_price_is_shown_and_not_invoiced(shop: Shop) -> None:
    acme = subscribed(shop, shop.world.pro)
    Entitlement.objects.create(customer=acme.row, feature=shop.world.chat, at_limit="overage", starts_at=LONG_AGO)
    acme.spends(110, key="a", now=shop.now)
    shop.later(days=MONTH)
    assert (collects(shop), items(acme)) == (0, [("unpriced", "0")])


SOON, LATER = timedelta(seconds=1), timedelta(days=2)
"""Within the day that Stripe remembers a key for, and after it."""
BREAKS = [
    ("own", "POST", "/v1/invoices", "drop_after", SOON),
    ("own", "POST", "/v1/invoices", "drop_after", LATER),
    ("own", "POST", "/v1/invoiceitems", "drop_after", SOON),
    ("own", "POST", "/v1/invoiceitems", "drop_after", LATER),
    ("own", "POST", "/v1/invoices/*/finalize", "drop_after", SOON),
    ("own", "POST", "/v1/invoices/*/finalize", "drop_before", LATER),
    ("own", "GET", "/v1/invoices/in_*", "drop_before", SOON),
    ("renewal", "POST", "/v1/invoiceitems", "drop_after", SOON),
    ("renewal", "POST", "/v1/invoiceitems", "drop_before", LATER),
    ("renewal", "POST", "/v1/invoiceitems", "drop_after", LATER),
    ("renewal", "GET", "/v1/invoiceitems", "drop_before", SOON),
]


@pytest.mark.parametrize(("where", "method", "path", "fault", "waits"), BREAKS, ids=map(str, range(len(BREAKS))))
def test_broken_off_at_any_step_it_is_invoiced_once(
    shop: Shop, where: str, method: str, path: str, fault: str, waits: timedelta
) -> None:
    acme = subscribed(shop, shop.world.metered)
    acme.spends(100, key="a", now=shop.now)
    shop.later(days=MONTH, seconds=60 if where == "renewal" else 7200)
    accrue(shop.now)
    shop.loses_answers(fault, path, method)
    invoice_all(shop.now)
    shop.later(seconds=int(waits.total_seconds()))

    invoice_all(shop.now)
    invoice_all(shop.now)
    shop.later(seconds=3601)

    assert items(acme) == [("invoiced", "2")]
    assert [amounts for _, amounts in lines(shop)] == [[200]]
    assert shop.sandbox.totals()["usd"]["charged"] == 200


def test_a_draft_that_closes_while_it_is_being_sent_is_given_up_for_an_invoice_of_its_own(
    shop: Shop, monkeypatch: Any
) -> None:
    acme = subscribed(shop, shop.world.metered)
    acme.spends(100, key="a", now=shop.now)
    shop.later(days=MONTH)
    accrue(shop.now)
    found = invoices.items_on

    def closes(invoice_id: str) -> dict[str, str]:
        monkeypatch.setattr(invoices, "items_on", found)
        shop.sandbox.later(seconds=3601)
        return found(invoice_id)

    monkeypatch.setattr(invoices, "items_on", closes)
    assert invoice_all(shop.now) == 1
    item = OverageItem.objects.get()
    assert (item.onto, item.state, item.error) == ("", "invoiced", "")
    assert [amounts for _, amounts in lines(shop)] == [[200]]


def test_with_a_customer_deleted_at_stripe_it_waits_for_the_next_one(shop: Shop) -> None:
    acme = shop.customer(email="ada@example.com")
    subscribe("acme", shop.world.metered, shop.now)
    acme.spends(100, key="a", now=shop.now)
    gone = stripe_customer_of(acme.row, shop.now)
    shop.stripe.v1.customers.delete(str(gone.stripe_id))
    shop.later(days=MONTH, hears=False)
    assert (collects(shop), items(acme)) == (0, [("waiting", "2")])
    shop.hears()
    assert collects(shop) == 0
    stripe_customer_of(acme.row, shop.now)
    shop.later(seconds=3600)
    assert collects(shop) == 1


def test_the_ledger_entry_is_billed_once_by_the_database_too(shop: Shop) -> None:
    acme = subscribed(shop, shop.world.metered)
    acme.spends(100, key="a", now=shop.now)
    shop.later(days=MONTH)
    collects(shop)
    item = OverageItem.objects.get()
    assert LedgerEntry.objects.get(customer_id=acme.row.pk, seq=item.seq).amount_microcredits == item.microcredits
    item.pk = None
    with pytest.raises(IntegrityError, match="overage_item_is_billed_once"), transaction.atomic():
        item.save()
