"""What a customer decides: auto top-up and the spend cap, by forms that say what is wrong with them."""

from datetime import datetime
from typing import Any

import pytest

from billing.models import AutoTopUp, TopUpOrder
from entitlements.models import Balance
from tests.billing.cast import Shop
from tests.billing.conftest import shop
from tests.portal.conftest import Browser, text_of, visiting
from tests.world import CREDIT, Actor

__all__ = ["shop"]

pytestmark = pytest.mark.django_db

AUTO = {"do": "auto", "threshold": "1,000", "buys": "small", "credits": "", "monthly_cap": "50"}


@pytest.fixture
def acme(shop: Shop, clock: object) -> Actor:
    """On pay as you go: everything is overage, capped by the plan at 500 credits."""
    return Actor("acme", shop.now, shop.world.plan(
        "payg", at_limit="overage", overage_price="0.01", spend_cap_microcredits=500 * CREDIT
    ))  # fmt: skip


@pytest.fixture
def browser(acme: Actor, shop: Shop) -> Browser:
    return visiting("acme", shop.now)


def saves(browser: Browser, **fields: Any) -> tuple[int, str]:
    response = browser.sends("/portal/settings", fields)
    if response.status_code == 303:
        return 303, text_of(browser.reads(response["Location"]))
    return response.status_code, text_of(response.content.decode())


def test_auto_top_up_is_set_shown_changed_and_ended(browser: Browser) -> None:
    assert "It is off." in text_of(browser.reads("/portal/settings"))
    status, page = saves(browser, **AUTO)
    assert (status, "Auto top-up is set." in page, "It is on." in page) == (303, True, True)
    row = AutoTopUp.objects.get()
    assert (row.threshold_microcredits, row.pack.key, str(row.monthly_cap)) == (1000 * CREDIT, "small", "$50.00")
    shown = browser.reads("/portal/settings")
    assert 'value="1,000"' in shown
    assert '<option value="small" selected>' in shown
    assert 'value="50"' in shown

    saves(browser, **(AUTO | {"buys": "", "credits": "250.5", "monthly_cap": ""}))
    row.refresh_from_db()
    assert (row.pack, row.microcredits, row.monthly_cap) == (None, 250_500_000, None)
    assert 'value="250.5"' in browser.reads("/portal/settings")

    status, page = saves(browser, do="off")
    assert (status, "Auto top-up is off." in page) == (303, True)
    assert not AutoTopUp.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"threshold": ""}, "required"),
        ({"threshold": "-1"}, "Must not be below 0."),
        ({"threshold": "lots"}, "Write a number such as 1,000 or 12.5."),
        ({"threshold": "9" * 15}, "is more than"),
        ({"buys": "none-such"}, "not one of the available choices"),
        ({"buys": "", "credits": ""}, "Say how many credits to buy."),
        ({"buys": "", "credits": "0"}, "Must be more than 0."),
        ({"buys": "", "credits": "0.0000001"}, "decimal places"),
        ({"monthly_cap": "a lot"}, "Must be an amount of USD"),
        ({"monthly_cap": "1.234"}, "Must be an amount of USD"),
        ({"monthly_cap": "-5"}, "Must be an amount of USD"),
        ({"monthly_cap": "0"}, "Must be more than 0."),
        ({"monthly_cap": "9.99"}, "One purchase costs 10 USD"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(
    browser: Browser, fields: dict[str, str], words: str
) -> None:
    response = browser.sends("/portal/settings", AUTO | fields)
    page = response.content.decode()
    assert (response.status_code, 'aria-invalid="true"' in page or "buys" in fields) == (422, True)
    assert words in text_of(page), text_of(page)
    assert not AutoTopUp.objects.exists()


def test_what_was_typed_is_still_there(browser: Browser) -> None:
    page = browser.sends("/portal/settings", AUTO | {"threshold": '"><b>x'}).content.decode()
    assert "&quot;&gt;&lt;b&gt;x" in page
    assert 'value="50"' in page


@pytest.mark.parametrize("reason", AutoTopUp.Paused.values)
def test_a_resting_order_says_why_and_what_to_do(browser: Browser, reason: str) -> None:
    saves(browser, **AUTO)
    AutoTopUp.objects.update(paused_reason=reason)
    page = text_of(browser.reads("/portal/settings"))
    assert "It rests." in page
    assert "It is on" not in page


def test_the_spend_cap_stops_overage_below_the_plans(browser: Browser, acme: Actor) -> None:
    page = text_of(browser.reads("/portal/settings"))
    assert "The plan’s cap 500 credits, about $5" in page
    assert "1,000 credits come to $10" in page
    status, page = saves(browser, do="cap", cap="20")
    assert (status, "Your cap 20 credits, about $0.20" in page) == (303, True)
    acme.spends(30, key="e1")
    assert (acme.balance().overage, acme.balance().debt) == (20 * CREDIT, 10 * CREDIT)
    saves(browser, do="uncap")
    assert Balance.objects.get(customer_id=acme.row.pk).spend_cap_microcredits is None


@pytest.mark.parametrize(
    ("typed", "words"), [("501", "The plan stops overage at 500"), ("", "required"), ("x", "Write a number")]
)
def test_a_cap_above_the_plans_or_without_sense_is_refused(browser: Browser, typed: str, words: str) -> None:
    status, page = saves(browser, do="cap", cap=typed)
    assert (status, words in page) == (422, True)
    assert Balance.objects.get().spend_cap_microcredits is None


def test_a_plan_without_overage_needs_no_cap(shop: Shop, clock: object, now: datetime) -> None:
    Actor("globex", now, shop.world.pro)
    assert "Your plan knows no overage" in text_of(visiting("globex", now).reads("/portal/settings"))


def test_forms_need_their_token_and_a_meaning(browser: Browser) -> None:
    assert browser.post("/portal/settings", AUTO).status_code == 403
    assert browser.sends("/portal/settings", {"do": "everything"}).status_code == 422
    assert browser.sends("/portal/settings", {"do": "off"}).status_code == 404
    assert not AutoTopUp.objects.exists()


def test_looking_changes_nothing(browser: Browser) -> None:
    browser.reads("/portal/settings", **AUTO)
    browser.reads("/portal/settings", do="cap", cap="1")
    assert not AutoTopUp.objects.exists()
    assert Balance.objects.get().spend_cap_microcredits is None


def test_without_stripe_the_page_says_so(browser: Browser, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    for path in ("/portal/settings", "/portal/invoices"):
        assert "Nothing can be paid here at the moment" in browser.reads(path)
    response = browser.sends("/portal/payment-method", {})
    assert response.status_code == 503


def test_staff_set_nothing(acme: Actor, shop: Shop) -> None:
    staff = visiting("acme", shop.now, read_only=True)
    assert "<button" not in staff.reads("/portal/settings").partition("<main")[2]
    for path, fields in (("settings", AUTO), ("buy", {"pack": "small"}), ("payment-method", {})):
        assert staff.sends(f"/portal/{path}", fields).status_code == 403
    assert not AutoTopUp.objects.exists()
    assert not TopUpOrder.objects.exists()
