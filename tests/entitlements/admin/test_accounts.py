"""Staff see accounts as they are, and change them only through the services."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from entitlements.admin import lines
from entitlements.models import CreditGrant, Customer, LedgerEntry, Subscription
from kernel.clock import utc_now
from metering.models import UsageEvent
from tests import accounts
from tests.world import Actor, World

pytestmark = pytest.mark.django_db

LINES = ("ledgerline", "grantline", "usageline")


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def acme(world: World) -> Actor:
    """A customer on the pro plan since a moment ago, who has used something."""
    actor = Actor("acme", utc_now(), world.pro)
    actor.uses(accounts.fact("call-1", at=actor.now, user_key="ann"))
    return actor


def url(model: str, page: str, *arguments: Any) -> str:
    return reverse(f"admin:entitlements_{model}_{page}", args=arguments)


def act(client: Client, actor: Actor, action: str, **form: Any) -> Any:
    """Send an action's dialog as the page does, and show the page it leads back to."""
    path = url("customer", action, actor.row.pk)
    return client.post(path, {"_form_submitted": "True"} | form, follow=True)


def test_the_customers_page_shows_the_account(staff: Client, acme: Actor) -> None:
    page = staff.get(url("customer", "change", acme.row.pk)).content.decode()
    assert "99.86" in page
    assert "pro v1" in page
    assert "call-1" in page
    for line in LINES:
        assert f"{url(line, 'changelist')}?customer={acme.row.pk}" in page


def test_credits_are_granted_with_a_reason_and_by_whom(staff: Client, acme: Actor) -> None:
    page = act(staff, acme, "grant_credits", credits="12.5", source="adjustment", reason="outage of the 3rd")
    assert "12.5 credits granted" in page.content.decode()
    grant = CreditGrant.objects.get(source="adjustment")
    assert (grant.amount_microcredits, grant.reason, grant.actor) == (12_500_000, "outage of the 3rd", "ada")
    assert acme.balance(utc_now()).available == 112_360_000


@pytest.mark.parametrize(
    ("credits", "says"),
    [
        ("0", "must be more than 0"),
        ("-5", "must be more than 0"),
        ("much", "must be a plain decimal string"),
        ("1.0000001", "more than 6 decimal places"),
        ("1e3", "must be a plain decimal string"),
        ("9000000001", "is more than 9000000000"),
    ],
)
def test_a_bad_amount_is_told_at_the_field(staff: Client, acme: Actor, credits: str, says: str) -> None:
    page = act(staff, acme, "grant_credits", credits=credits, source="promo", reason="x")
    assert says in page.content.decode()
    assert not CreditGrant.objects.filter(source="promo").exists()


def test_a_grant_without_a_reason_is_not_given(staff: Client, acme: Actor) -> None:
    act(staff, acme, "grant_credits", credits="5", source="promo", reason="")
    assert not CreditGrant.objects.filter(source="promo").exists()


def test_what_is_left_of_a_grant_can_be_taken_back(staff: Client, acme: Actor) -> None:
    grant = acme.is_granted(50)
    path = url("grantline", "take_back", f"{acme.row.pk}-{grant.id}")
    staff.post(path, {"_form_submitted": "True", "reason": "wrong customer"})
    grant.refresh_from_db()
    assert grant.voided_at is not None
    assert "ada" in grant.reason
    assert "wrong customer" in grant.reason
    again = staff.post(path, {"_form_submitted": "True", "reason": "again"}, follow=True)
    assert "nothing left" in again.content.decode()


def test_a_customer_is_put_on_a_plan_and_taken_off(staff: Client, acme: Actor, world: World) -> None:
    page = act(staff, acme, "subscribe", plan_version=world.metered.pk)
    assert "Subscribed to metered v1" in page.content.decode()
    assert Subscription.objects.get(ended_at=None).plan_version == world.metered
    act(staff, acme, "end_subscription")
    assert not Subscription.objects.filter(ended_at=None).exists()
    page = act(staff, acme, "end_subscription")
    assert "The customer has no subscription" in page.content.decode()


def test_selected_subscriptions_are_ended(staff: Client, acme: Actor, world: World, now: datetime) -> None:
    other = Actor("globex", now, world.pro)
    mine = Subscription.objects.get(customer=acme.row)
    staff.post(url("subscription", "changelist"), {"action": "end", "_selected_action": [mine.pk]})
    assert list(Subscription.objects.filter(ended_at=None).values_list("customer__key", flat=True)) == [other.key]


def test_customers_are_made_and_changed_by_the_services_rules(staff: Client, acme: Actor) -> None:
    form = {"key": "new", "name": "New", "email": "", "currency": "EUR", "time_zone": "Europe/Berlin", "tags": "{}"}
    staff.post(url("customer", "add"), form)
    made = Customer.objects.get(key="new")
    assert (made.currency, made.time_zone) == ("EUR", "Europe/Berlin")
    assert "printable" in staff.post(url("customer", "add"), form | {"key": "a/b"}).content.decode()
    page = staff.post(url("customer", "change", acme.row.pk), form | {"name": "Acme"}).content.decode()
    assert "has subscribed or paid in USD" in page
    acme.row.refresh_from_db()
    assert (acme.row.key, acme.row.currency) == ("acme", "USD")


@pytest.mark.parametrize("line", LINES)
def test_lines_are_listed_found_and_opened_but_never_changed(
    staff: Client, acme: Actor, now: datetime, line: str
) -> None:
    other = Actor("globex", now)
    other.is_granted(7)
    keys = {
        "ledgerline": LedgerEntry.objects.filter(customer_id=acme.row.pk).order_by("-seq").first().seq,  # type: ignore[union-attr]
        "grantline": CreditGrant.objects.get(customer_id=acme.row.pk).id,
        "usageline": UsageEvent.objects.get(customer_id=acme.row.pk).key_digest,
    }
    whole = f"{acme.row.pk}-{keys[line]}"
    for query in ({}, {"q": "acme"}, {"customer": acme.row.pk}):
        page = staff.get(url(line, "changelist"), query).content.decode()
        assert url(line, "change", whole) in page
    assert f"/{other.row.pk}-" not in staff.get(url(line, "changelist"), {"q": "acme"}).content.decode()
    assert staff.get(url(line, "change", whole)).status_code == 200
    assert staff.post(url(line, "change", whole), {}).status_code == 403
    assert staff.post(url(line, "delete", whole), {"post": "yes"}).status_code == 403
    assert staff.get(url(line, "add")).status_code == 403


@pytest.mark.parametrize("key", ["nonsense", "1", "1-", "x-1", "1-x", "999999-1", "1-" + "9" * 40, "9" * 40 + "-1"])
@pytest.mark.parametrize("line", LINES)
def test_a_made_up_key_leads_nowhere(staff: Client, acme: Actor, line: str, key: str) -> None:
    assert staff.get(url(line, "change", key)).status_code in {302, 404}


@pytest.mark.parametrize("key", ["999999", "x", "9" * 40])
def test_an_action_on_nobody_leads_nowhere(staff: Client, acme: Actor, key: str) -> None:
    form = {"_form_submitted": "True", "credits": "5", "source": "promo", "reason": "x"}
    assert staff.post(url("customer", "grant_credits", key), form).status_code == 404
    assert staff.post(url("grantline", "take_back", f"{key}-1"), form).status_code == 404


@pytest.fixture
def long_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BROWSABLE_ROWS", -2)


@pytest.mark.parametrize("line", LINES)
def test_a_list_too_long_to_sort_asks_for_a_customer(staff: Client, acme: Actor, long_lists: None, line: str) -> None:
    whole = staff.get(url(line, "changelist")).content.decode()
    assert "too long to show whole" in whole
    assert f"/{acme.row.pk}-" not in whole
    assert f"/{acme.row.pk}-" in staff.get(url(line, "changelist"), {"q": "acme"}).content.decode()


def test_amounts_are_exact_and_the_unknown_is_named(staff: Client, acme: Actor) -> None:
    acme.uses(accounts.fact("call-2", at=acme.now, model="mystery-9"))
    page = staff.get(url("usageline", "changelist"), {"q": "acme"}).content.decode()
    assert "0.14" in page
    assert "unrated" in page
    assert "unpriced" in page
    ledger = staff.get(url("ledgerline", "changelist"), {"q": "acme"}).content.decode()
    assert f"-{Decimal('0.14')}" in ledger
    assert "+100" in ledger


def test_staff_without_the_right_cannot_move_credits(acme: Actor) -> None:
    viewer = Client()
    viewer.force_login(User.objects.create_user("bob", is_staff=True))
    assert act(viewer, acme, "grant_credits", credits="5", source="promo", reason="x").status_code == 403
    assert not CreditGrant.objects.filter(source="promo").exists()
