"""The HTTP behaviours peers get wrong, tried on the real gate over a database of their own.

``run(cases)`` tries the cases it has a story for and counts the others as skipped. Outside pytest
it makes a scratch database first and drops it afterwards.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx

STORIES: dict[str, Callable[[dict[str, Any]], None]] = {}


def story(case: str) -> Callable[[Callable[[dict[str, Any]], None]], Callable[[dict[str, Any]], None]]:
    """Register the story of a case."""

    def register(tell: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
        STORIES[case] = tell
        return tell

    return register


def run(cases: dict[str, Any]) -> tuple[int, list[str], int]:
    """(passed, failures, skipped) of the cases."""
    passed, failures, skipped = 0, [], 0
    with _database() as fresh:
        for case in cases["cases"]:
            tell = STORIES.get(case["id"])
            if tell is None:
                skipped += 1
                continue
            with fresh():
                try:
                    tell(case["expect"])
                except AssertionError as difference:
                    failures.append(f"{case['id']} ({case['given']}): {difference}")
                else:
                    passed += 1
    return passed, failures, skipped


@contextmanager
def _database() -> Iterator[Callable[[], Any]]:
    import os
    import sys

    if "pytest" in sys.modules:
        yield _emptied
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    import tests.postgres  # noqa: F401 - puts the database's address into the environment

    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    before = setup_databases(verbosity=0, interactive=False)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_is_not_truncated")
    try:
        yield _emptied
    finally:
        teardown_databases(before, verbosity=0)


@contextmanager
def _emptied() -> Iterator[None]:
    from django.core.management import call_command

    from entitlements.store.reference import django_reference

    call_command("flush", verbosity=0, interactive=False)
    django_reference.forget()
    yield


def _post(path: str, *bodies: dict[str, Any]) -> list[httpx.Response]:
    from tests.gate import with_gate

    async def tell(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [await client.post(path, json=body) for body in bodies]

    return with_gate(tell)


def _same(found: Any, expected: Any, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what} is {found!r}, not {expected!r}")


def _customer(credits: int = 100) -> Any:
    from kernel.clock import utc_now
    from tests.world import Actor, World

    return Actor("acme", utc_now(), World().plan("small", included=credits))


@story("HT51")
def an_event_retried_after_a_crash_is_metered_once(expect: dict[str, Any]) -> None:
    """The write fails between claiming the key and everything else; the caller tries again."""
    from django.db import connection

    from metering.models import UsageDay, UsageEvent
    from tests.gate import event

    acme = _customer()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE usage_day ADD CONSTRAINT crash CHECK (false) NOT VALID")
    # The crash is meant: its traceback would only look like a failure of this run.
    logging.getLogger("weir.request").setLevel(logging.CRITICAL)
    (crashed,) = _post("/v1/usage", event())
    logging.getLogger("weir.request").setLevel(logging.NOTSET)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE usage_day DROP CONSTRAINT crash")
    _same(crashed.status_code >= 500, True, "the answer of the crashed call being a failure")
    _same(UsageEvent.objects.count(), 0, "events after the crash")
    answers = _post("/v1/usage", event(), event())
    _same([answer.status_code for answer in answers], [201, 200], "the retries' answers")
    _same((UsageEvent.objects.count(), UsageDay.objects.get().calls), (1, 1), "events and calls")
    _same(len(acme.ledger()), 2, "ledger entries: the allowance and one burn")
    _same(expect["metered"], "exactly once", "the expectation")


@story("HT52")
def fifty_at_once_never_overspend(expect: dict[str, Any]) -> None:
    import asyncio

    from kernel.clock import utc_now
    from tests.gate import with_gate

    acme = _customer()

    async def fifty(client: httpx.AsyncClient) -> list[str]:
        def hold(number: int) -> dict[str, Any]:
            return {
                "customer": "acme",
                "feature": "chat",
                "estimate": {"credits": "10"},
                "hold": {"key": f"h{number}", "ttl_seconds": 60},
            }

        answers = await asyncio.gather(*(client.post("/v1/check", json=hold(number)) for number in range(50)))
        return [answer.json()["decision"] for answer in answers]

    decisions = with_gate(fifty)
    _same(decisions.count("allow"), expect["allowed"], "allowed")
    _same(decisions.count("deny"), expect["denied"], "denied")
    _same(str(acme.balance(utc_now()).available), expect["balance"], "what is left")


@story("HT53")
def one_credit_does_not_open_the_door_for_five_hundred(expect: dict[str, Any]) -> None:
    _customer(credits=1)
    (answer,) = _post("/v1/check", {"customer": "acme", "feature": "chat", "estimate": {"credits": "500"}})
    _same(answer.json()["decision"] == "allow", expect["has_access"], "access")


@story("HT54")
def a_price_change_does_not_move_the_past(expect: dict[str, Any]) -> None:
    from kernel.clock import utc_now
    from metering.models import UsageDay
    from tests.gate import event
    from tests.metering.test_cost_cards import card

    _customer()
    now = utc_now()
    first_day, second_day = now - timedelta(days=2), now - timedelta(days=1)
    _post("/v1/usage", event(occurred_at=first_day.isoformat()))
    stamped = UsageDay.objects.get(day=first_day.date()).cost_nanousd
    card(second_day)
    _post("/v1/usage", event("later", occurred_at=now.isoformat()))
    _same(UsageDay.objects.get(day=first_day.date()).cost_nanousd, stamped, "day 1's cost on day 3")
    _same(stamped, 210_000, "day 1's tokens × the price of day 1, in nano-USD")
    _same(UsageDay.objects.get(day=now.date()).cost_nanousd, 2_800_000, "day 3's cost, at the new price")


@story("HT55")
def a_late_event_is_in_the_very_next_balance(expect: dict[str, Any]) -> None:
    from kernel.clock import utc_now
    from tests.gate import event

    acme = _customer()
    acme.balance()
    _post("/v1/usage", event(occurred_at=(utc_now() - timedelta(days=3)).isoformat()))
    _same(
        acme.balance(utc_now()).available < 100_000_000, expect["includes_late_event"], "the late event in the balance"
    )


@story("HT56")
def a_subscriber_can_be_granted_credits_on_top(expect: dict[str, Any]) -> None:
    from django.test import Client

    from access.services.api_keys import create_key
    from kernel.clock import utc_now

    acme = _customer()
    _, token = create_key("story", ["admin"], utc_now())
    answer = Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {token}"}).post(
        "/v1/customers/acme/grants",
        {"key": "top-up-1", "credits": "25", "source": "top_up"},
        content_type="application/json",
    )
    _same(answer.status_code, expect["status"], "the status")
    _same(acme.balance(utc_now()).available, 125_000_000, "the balance in microcredits")


@story("HT57")
def a_balance_read_after_usage_shows_it(expect: dict[str, Any]) -> None:
    from tests.gate import event

    _customer()
    used, checked = (
        _post("/v1/usage", event())[0],
        _post("/v1/check", {"customer": "acme", "feature": "chat"})[0],
    )
    _same(used.json()["balance"]["available"], "99.86", "the balance in the answer")
    _same(checked.json()["balance"]["available"], "99.86", "the very next read")


@story("HT59")
def cached_tokens_are_not_charged_twice(expect: dict[str, Any]) -> None:
    from kernel.clock import utc_now
    from tests.gate import event
    from tests.metering.test_cost_cards import card

    _customer()
    card(utc_now() - timedelta(days=1))
    usage = {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 800},
        "output_tokens": 100,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1100,
    }
    (answer,) = _post("/v1/usage", event(usage=usage))
    _same(answer.json()["cost_usd"], expect["cost_usd"], "the cost")


@contextmanager
def _shop() -> Iterator[Any]:
    """What is on sale, with a Stripe of its own to sell it through."""
    from datetime import datetime
    from unittest.mock import patch

    from django.test import override_settings

    from tests.billing.cast import Shop
    from tests.sandbox.process import KEY, SECRET, START, SandboxProcess

    with SandboxProcess() as stripe:
        shop = Shop(stripe, datetime.fromisoformat(START))
        told: dict[str, Any] = {
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_API_BASE": stripe.url,
            "STRIPE_WEBHOOK_SECRET": SECRET,
        }
        told |= {"ALLOWED_HOSTS": ["*"]}
        with override_settings(**told), patch("billing.webhook.utc_now", lambda: shop.now):
            yield shop


@story("HT50")
def a_top_up_asked_for_twice_is_one_order_one_charge_and_one_grant(expect: dict[str, Any]) -> None:
    from django.test import Client

    from access.services.api_keys import create_key
    from entitlements.models import CreditGrant
    from kernel.clock import utc_now
    from tests.billing.cast import URLS

    with _shop() as shop:
        acme = shop.buyer()
        _, token = create_key("story", ["admin"], utc_now())
        client = Client(SERVER_NAME="localhost", headers={"authorization": f"Bearer {token}"})
        first, again = (
            client.post(
                "/v1/customers/acme/top-ups",
                {"key": "order-1", "pack": "small"} | URLS,
                content_type="application/json",
            )
            for _ in range(2)
        )
        _same(first.json()["id"], again.json()["id"], "the second answer's order")
        shop.stripe.pay(str(acme.order().checkout_session_id), "pm_card_visa")
        shop.deliver()
        _same(len(shop.stripe.objects("charge")), 1, "charges")
        _same(CreditGrant.objects.count(), 1, "grants")
    _same(expect["both"], "same id, one charge, one grant", "the expectation")


@story("HT58")
def a_completed_checkout_told_three_times_at_once_is_one_grant(expect: dict[str, Any]) -> None:
    from billing.convergence.inbox import process_due_events
    from entitlements.models import CreditGrant
    from tests.world import in_parallel

    with _shop() as shop:
        shop.buyer().buys()
        (letter,) = (each for each in shop.letters() if each["type"] == "checkout.session.completed")

        def arrives(_: int) -> Any:
            status = shop.post(letter)
            process_due_events(shop.now)
            return status

        answers = in_parallel(3, arrives)
        _same(answers, [expect["each_status"]] * 3, "the answers")
        _same(CreditGrant.objects.count(), expect["grants"], "grants")
