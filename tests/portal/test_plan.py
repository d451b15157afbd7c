"""Subscribing, changing and ending a plan from a customer's own pages, with Stripe collecting."""

import re
from typing import Any

import pytest

from billing.models import StripeSubscription, SubscriptionOrder
from entitlements.models import Subscription
from tests.billing.stripe_shop import Shop, shop
from tests.portal.conftest import Browser, text_of, visiting
from tests.world import Actor

__all__ = ["shop"]

pytestmark = pytest.mark.django_db

KEY = "0199a0f0-0000-7000-8000-000000000000"


@pytest.fixture
def counter(shop: Shop, clock: object) -> Shop:
    """Pro for $29 and team for $99 a month are sold at Stripe; so is the metered plan, for nothing."""
    shop.world.plan("team", price="99", included=500)
    shop.opens()
    return shop


@pytest.fixture
def acme(counter: Shop) -> Actor:
    """On no plan yet."""
    return Actor("acme", counter.now)


@pytest.fixture
def browser(acme: Actor, counter: Shop) -> Browser:
    return visiting("acme", counter.now)


def does(browser: Browser, **fields: str) -> Any:
    return browser.sends("/portal/plan", {"key": KEY} | fields)


def subscribes(browser: Browser, counter: Shop, plan: str = "pro") -> None:
    """Choose a plan, pay for it on Stripe's page, and hear of it."""
    response = does(browser, do="subscribe", plan=plan)
    order = SubscriptionOrder.objects.get()
    assert (response.status_code, response["Location"]) == (303, order.url)
    counter.sandbox.pay(str(order.checkout_session_id))
    counter.hears()


def on_plan() -> str:
    return Subscription.objects.select_related("plan_version__plan").get(ended_at=None).plan_version.plan.key


def test_a_customer_subscribes_and_has_the_allowance(browser: Browser, counter: Shop, acme: Actor) -> None:
    page = text_of(browser.reads("/portal/plan"))
    assert "You are on no plan" in page
    assert "Pro $29 a month 100 credits a month Subscribe to Pro" in page
    subscribes(browser, counter)
    assert (on_plan(), acme.available) == ("pro", 100)
    page = text_of(browser.reads("/portal/plan", done="subscribe"))
    assert "You are on Pro" in page
    assert "Renews on 15 Dec 2026" in page
    assert "Subscribe to" not in page
    assert "Change to Team" in page


def test_a_dearer_plan_begins_at_once_and_a_cheaper_one_with_the_next_period(browser: Browser, counter: Shop) -> None:
    subscribes(browser, counter)
    page = text_of(browser.reads("/portal/plan"))
    assert re.search(r"Change to Team It begins at once\.", page)
    assert does(browser, do="change", plan="team").status_code == 303
    counter.hears()
    assert on_plan() == "team"
    assert re.search(r"Change to Pro It begins with the next period", text_of(browser.reads("/portal/plan")))
    does(browser, do="change", plan="pro")
    counter.hears()
    assert on_plan() == "team"
    assert "Changes to Pro on 15 Dec" in text_of(browser.reads("/portal/plan"))
    assert "The plan changes to Pro on 15 Dec." in text_of(browser.reads("/portal/"))


def test_a_subscription_is_ended_with_its_period_and_kept_after_all(browser: Browser, counter: Shop) -> None:
    subscribes(browser, counter)
    assert does(browser, do="cancel")["Location"] == "/portal/plan?done=cancel"
    assert "It ends on 15 Dec 2026" in text_of(browser.reads("/portal/plan"))
    assert "The subscription ends on 15 Dec." in text_of(browser.reads("/portal/"))
    assert does(browser, do="keep").status_code == 303
    assert "It ends on" not in text_of(browser.reads("/portal/plan"))
    assert StripeSubscription.objects.get().cancel_at_period_end is False


def test_choosing_twice_opens_one_page(browser: Browser, counter: Shop) -> None:
    first, again = (does(browser, do="subscribe", plan="pro")["Location"] for _ in range(2))
    assert first == again
    assert SubscriptionOrder.objects.count() == 1


def test_a_contract_is_not_ended_by_a_click(counter: Shop, clock: object) -> None:
    Actor("contract", counter.now, counter.world.pro)
    browser = visiting("contract", counter.now)
    page = browser.reads("/portal/plan")
    assert "This plan is arranged outside of these pages" in page
    assert "<button" not in page.partition("<main")[2]
    assert does(browser, do="subscribe", plan="team").status_code == 422
    assert not SubscriptionOrder.objects.exists()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"do": "subscribe", "plan": "none-such"}, 422),
        ({"do": "subscribe"}, 422),
        ({"do": "subscribe", "plan": "pro", "key": "x"}, 422),
        ({"do": "change", "plan": "team"}, 404),
        ({"do": "cancel"}, 404),
        ({"do": "keep"}, 404),
        ({"do": "everything"}, 422),
        ({}, 422),
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(browser: Browser, fields: dict[str, str], status: int) -> None:
    response = does(browser, **fields)
    assert (response.status_code, "notice-" in response.content.decode()) == (status, True)
    assert not SubscriptionOrder.objects.exists()


def test_forms_take_their_token_and_staff_choose_nothing(browser: Browser, counter: Shop) -> None:
    assert browser.post("/portal/plan", {"do": "subscribe", "plan": "pro", "key": KEY}).status_code == 403
    staff = visiting("acme", counter.now, read_only=True)
    assert "<button" not in staff.reads("/portal/plan").partition("<main")[2]
    assert does(staff, do="subscribe", plan="pro").status_code == 403
    assert not SubscriptionOrder.objects.exists()


def test_plans_stripe_does_not_know_are_not_offered(shop: Shop, clock: object) -> None:
    Actor("acme", shop.now)
    page = text_of(visiting("acme", shop.now).reads("/portal/plan"))
    assert "No other plans are on sale here." in page
