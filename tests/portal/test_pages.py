"""What customers see of their account, in every state it can be in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from moneyed import Money

from billing.models import AutoTopUp, TopUpOrder
from entitlements.core.words import EntryKind
from entitlements.models import Customer, LedgerEntry
from entitlements.services.grants import void_grant
from entitlements.services.standing import set_overdue
from entitlements.services.subscriptions import end_subscription
from kernel.ids import key_digest, new_id
from plans.models import PlanLimit, PlanVersion
from tests.accounts import fact
from tests.portal.conftest import Browser, text_of, visiting
from tests.world import CREDIT, Actor, World

pytestmark = pytest.mark.django_db

PAGES = (
    *("/portal/", "/portal/usage", "/portal/usage?by=model", "/portal/usage?by=user&period=90", "/portal/ledger"),
    *("/portal/credits", "/portal/buy", "/portal/settings", "/portal/invoices", "/portal/plan"),
)
HOSTILE = '"><script>alert(1)</script>'


def every_page(browser: Browser) -> str:
    return "".join(browser.reads(path) for path in PAGES)


def test_an_account_with_nothing_has_every_page(world: World, now: datetime, clock: object) -> None:
    Actor("nobody-yet", now)
    browser = visiting("nobody-yet", now)
    for path in PAGES:
        page = browser.reads(path)
        assert page.count("<h1>") == 1
        assert page.count('aria-current="page"') == 1
    overview = text_of(browser.reads("/portal/"))
    assert "Available 0" in overview
    assert "There are no credits left" in overview
    assert "No plan at the moment." in overview


def test_the_overview_says_what_there_is(browser: Browser, acme: Actor, now: datetime) -> None:
    acme.spends("12.5", key="e1")
    page = text_of(browser.reads("/portal/"))
    for words in (
        "Available 87.5 to spend now",
        "Held 0",
        "Used this period 12.5 12.5 a day lately",
        "Runway 7 days until 22 Nov, at the current burn",
        "Plan Pro Price $29 a month Included 100 credits a month Credits renew 15 Dec 2026, 12:00",
    ):
        assert words in page, page


def test_runway_is_enough_when_credits_renew_before_they_run_out(browser: Browser, acme: Actor) -> None:
    acme.spends(1, key="e1")
    assert "Runway enough lasts until credits renew on 15 Dec" in text_of(browser.reads("/portal/"))


def test_credits_that_do_not_last_are_told_early(browser: Browser, acme: Actor) -> None:
    acme.spends(50, key="e1")
    page = text_of(browser.reads("/portal/"))
    assert "At the current burn the credits last about 24 hours. The allowance renews on 15 Dec." in page


def test_debt_is_told_with_the_way_out(browser: Browser, acme: Actor) -> None:
    acme.spends(130, key="e1")
    page = browser.reads("/portal/")
    assert "Available −30 owed: the next credits pay it first" in text_of(page)
    assert "30 credits were used beyond the balance" in text_of(page)
    assert "Runway none nothing is left" in text_of(page)
    assert every_page(browser)


def test_overage_is_told_with_what_it_comes_to(world: World, now: datetime, clock: object) -> None:
    Actor("meter", now, world.metered).spends(150, key="e1")
    page = text_of(visiting("meter", now).reads("/portal/"))
    assert "150 credits of overage (about $3) this period" in page
    assert "Available 0 calls go on as overage" in page
    assert "There are no credits left" not in page


def test_an_overdue_payment_comes_first(browser: Browser, now: datetime) -> None:
    set_overdue("acme", now - timedelta(days=3), now)
    assert "A payment has been overdue since 12 Nov." in text_of(browser.reads("/portal/"))


def test_a_resting_auto_top_up_and_a_payment_to_confirm_are_told(browser: Browser, acme: Actor, now: datetime) -> None:
    AutoTopUp.objects.create(
        customer=acme.row, threshold_microcredits=1, microcredits=1, paused_reason="declined",
        created_at=now, changed_at=now,
    )  # fmt: skip
    assert "Auto top-up rests and buys nothing." in text_of(browser.reads("/portal/"))
    TopUpOrder.objects.create(
        customer=acme.row, key="auto:1", key_digest=key_digest("a"), body_digest=key_digest("b"), origin="auto",
        state="needs_action", url="https://hooks.stripe.com/3ds", microcredits=CREDIT, amount=Money(10, "USD"),
        created_at=now,
    )  # fmt: skip
    page = browser.reads("/portal/")
    assert "Your bank asks you to confirm a payment of $10." in text_of(page)
    assert 'href="https://hooks.stripe.com/3ds"' in page
    assert "Confirm the payment" in browser.reads("/portal/settings")


def limited(world: World, **terms: object) -> PlanVersion:
    """The pro plan with one limit."""
    plan = world.pro.plan
    version = PlanVersion.objects.create(plan=plan, number=2, price=Money(29, "USD"), rate_card=world.card)
    usual = {"key": "daily-chats", "unit": "calls", "window": "day", "value": 4, "warn_at_percent": [75]}
    PlanLimit.objects.create(plan_version=version, **(usual | terms))
    for entitlement in world.pro.entitlements.all():
        entitlement.pk, entitlement.plan_version = None, version
        entitlement.save()
    version.status, version.published_at = PlanVersion.Status.PUBLISHED, datetime(2020, 1, 1, tzinfo=UTC)
    version.save()
    return version


def test_a_limit_is_shown_with_how_far_it_is_used(world: World, now: datetime, clock: object) -> None:
    globex = Actor("globex", now, limited(world))
    browser = visiting("globex", now)
    assert "Daily chats" in text_of(browser.reads("/portal/"))
    for number in range(3):
        globex.spends(0, key=f"e{number}")
    assert "The limit “Daily chats” is near: 3 of 4 calls. It starts anew on 16 Nov at 00:00." in text_of(
        browser.reads("/portal/")
    )
    globex.spends(0, key="e3")
    assert "The limit “Daily chats” is reached: 4 of 4 calls." in text_of(browser.reads("/portal/"))


@pytest.mark.parametrize("terms", [{"unit": "cost"}, {"scope": "everyone"}, {"scope": "plan"}])
def test_our_costs_and_others_usage_are_not_shown(
    world: World, now: datetime, clock: object, terms: dict[str, str]
) -> None:
    Actor("globex", now, limited(world, **terms)).uses(fact("e1", at=now))
    page = every_page(visiting("globex", now))
    assert "aily chats" not in page
    assert "0.00021" not in page, "what the supplier charged"


def test_credits_about_to_expire_are_told(browser: Browser, acme: Actor, now: datetime) -> None:
    acme.is_granted(25, key="promo", source="promo", expires_at=now + timedelta(days=3), reason="Sorry for Tuesday")
    assert "25 credits (promotion) expire on 18 Nov." in text_of(browser.reads("/portal/"))
    credits_page = text_of(browser.reads("/portal/credits"))
    assert credits_page.index("Promotion Sorry for Tuesday 25 of 25") < credits_page.index("Plan allowance 100 of 100")


def test_grants_stand_in_the_order_in_which_they_burn(browser: Browser, acme: Actor, now: datetime) -> None:
    acme.is_granted(50, key="pack", paid=Money(5, "USD"))
    acme.is_granted(7, key="later", effective_at=now + timedelta(days=1))
    acme.is_granted(3, key="mistake")
    void_grant("acme", acme.is_granted(3, key="mistake").id, actor="test", reason="x", now=now)
    acme.spends(40, key="e1")
    page = text_of(browser.reads("/portal/credits"))
    assert "Plan allowance 60 of 100" in page
    assert "Top-up 50 of 50" in page
    assert "never expires · $5 paid" in page
    assert "Top-up: 7 from 16 Nov 2026" in page
    assert "taken back" in page
    assert "Available 110" in page


def test_the_ledger_says_what_paid_for_what(browser: Browser, acme: Actor, now: datetime) -> None:
    acme.is_granted(50, key="pack", paid=Money(5, "USD"))
    acme.uses(fact("chat", at=now, stated_microcredits=120 * CREDIT, user_key="ann"))
    page = text_of(browser.reads("/portal/ledger"))
    assert "Chat gpt-4o-mini · by ann from Plan allowance of 15 Nov Plan allowance of 15 Nov −100" in page
    assert "Chat gpt-4o-mini · by ann from Top-up of 15 Nov Top-up of 15 Nov −20" in page
    assert "Top-up $5 paid +50" in page


def test_every_kind_of_entry_has_words(world: World, now: datetime, clock: Callable[[datetime], None]) -> None:
    meter = Actor("meter", now, world.metered)
    meter.spends(5, key="over")
    end_subscription("meter", now)
    meter.spends(5, key="debt")
    meter.is_granted(20, key="a", expires_at=now + timedelta(days=1))
    void_grant("meter", meter.is_granted(3, key="b").id, actor="test", reason="x", now=now)
    clock(now + timedelta(days=2))
    page = text_of(visiting("meter", now + timedelta(days=2)).reads("/portal/ledger"))
    kinds = set(LedgerEntry.objects.values_list("kind", flat=True))
    assert kinds >= {EntryKind.OVERAGE, EntryKind.OVERAGE_BILLED, EntryKind.DEBT, EntryKind.DEBT_PAID, EntryKind.EXPIRE}
    for words in (
        "as overage −5", "Overage put on the invoice +5", "beyond the balance: owed −5", "Debt paid +5",
        "Paid what was owed", "Expired Top-up of 15 Nov −15", "Taken back Top-up of 15 Nov −3",
    ):  # fmt: skip
        assert words in page, page


def test_the_ledger_is_read_page_by_page(browser: Browser, acme: Actor) -> None:
    for number in range(60):
        acme.spends("0.5", key=f"e{number}")
    first = browser.reads("/portal/ledger")
    assert first.count("<tr>") == 51
    assert 'href="?before=12"' in first
    rest = browser.reads("/portal/ledger", before="12")
    assert rest.count("<tr>") == 12
    assert "Older" not in rest
    assert "Newest" in rest
    assert "Nothing has happened yet" in browser.reads("/portal/ledger", before="1")


@pytest.mark.parametrize("before", ["x", "-1", "1e5", "9" * 16, ""])
def test_a_page_that_is_none_is_not_found(browser: Browser, before: str) -> None:
    assert browser.get("/portal/ledger", {"before": before}).status_code == 404


def test_usage_is_cut_by_feature_model_and_user(browser: Browser, acme: Actor, now: datetime) -> None:
    acme.uses(fact("a", at=now, stated_microcredits=9 * CREDIT, user_key="ann"))
    acme.uses(fact("b", at=now, stated_microcredits=CREDIT))
    assert "Chat 90" not in text_of(browser.reads("/portal/usage"))
    assert "Chat 100 % 2 10 100 %" in text_of(browser.reads("/portal/usage", by="feature"))
    assert "gpt-4o-mini 100 % 2 10 100 %" in text_of(browser.reads("/portal/usage", by="model"))
    by_user = text_of(browser.reads("/portal/usage", by="user"))
    assert "ann 90 % 1 9 90 % no user named 10 % 1 1 10 %" in by_user
    assert "Sun 15 Nov 2026 10" in by_user


def test_usage_is_of_the_days_asked_for(browser: Browser, acme: Actor, now: datetime) -> None:
    acme.spends(3, key="today")
    acme.uses(fact("before", at=now - timedelta(days=20), stated_microcredits=4 * CREDIT))
    totals = {
        "this": "3 credits in 1 calls", "last": "7 credits in 2 calls", "7": "3 credits in 1 calls",
        "30": "7 credits in 2 calls", "nonsense": "3 credits in 1 calls",
    }  # fmt: skip
    for period, total in totals.items():
        assert total in text_of(browser.reads("/portal/usage", period=period)), period
    query = {"period": "custom", "from": "2026-10-26", "to": "2026-10-26"}
    assert "4 credits in 1 calls" in text_of(browser.reads("/portal/usage", **query))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("x", "2026-11-01"), ("2026-11-02", "2026-11-01"), ("1999-01-01", "1999-01-02"),
        ("2026-01-01", "2027-06-01"), ("", ""),
    ],
)  # fmt: skip
def test_days_that_are_none_are_told_and_the_usual_shown(browser: Browser, first: str, last: str) -> None:
    page = browser.reads("/portal/usage", **{"period": "custom", "from": first, "to": last})
    assert 'role="alert"' in page
    assert 'value="2026-11-15"' in page


def test_a_page_escapes_what_customers_users_models_and_grants_are_called(
    world: World, now: datetime, clock: object
) -> None:
    evil = Actor("evil", now, world.pro)
    Customer.objects.filter(pk=evil.row.pk).update(name=HOSTILE)
    evil.is_granted(5, key="promo", source="promo", reason=HOSTILE, expires_at=now + timedelta(days=2))
    evil.uses(fact("e", at=now, user_key=HOSTILE, model=HOSTILE, stated_microcredits=CREDIT))
    pages = every_page(visiting("evil", now))
    assert "<script>alert" not in pages
    assert "&lt;script&gt;alert" in pages


def test_times_are_the_customers_own(browser: Browser, acme: Actor) -> None:
    Customer.objects.filter(pk=acme.row.pk).update(time_zone="Asia/Tokyo")
    page = text_of(browser.reads("/portal/"))
    assert "Credits renew 15 Dec 2026, 21:00" in page
    assert "Times are in Asia/Tokyo." in page


def test_what_is_due_shows_though_nobody_called(
    browser: Browser, acme: Actor, now: datetime, clock: Callable[[datetime], None]
) -> None:
    acme.spends(30, key="e1")
    later = now + timedelta(days=31)
    clock(later)
    page = text_of(visiting("acme", later).reads("/portal/ledger"))
    assert "Expired Plan allowance of 15 Nov −70" in page
    assert "Plan allowance +100" in page


def test_looking_writes_nothing(browser: Browser, acme: Actor, now: datetime) -> None:
    acme.spends(30, key="e1")
    before = (LedgerEntry.objects.count(), acme.balance())
    every_page(browser)
    assert (LedgerEntry.objects.count(), acme.balance()) == before


def test_a_page_that_is_not_there_says_so_in_our_words(browser: Browser) -> None:
    response = browser.get(f"/portal/orders/{new_id()}")
    assert (response.status_code, "There is nothing here" in response.content.decode()) == (404, True)


def test_another_customers_figures_are_nowhere(browser: Browser, acme: Actor, world: World, now: datetime) -> None:
    globex = Actor("globex", now, world.pro)
    globex.is_granted(77_777, key="secret", source="promo", reason="only for globex")
    globex.uses(fact("g", at=now, user_key="globex-user", stated_microcredits=CREDIT))
    pages = every_page(browser)
    for theirs in ("globex", "Globex", "77,7"):
        assert theirs not in pages
