"""Staff see what the gate did: holds, runs as trees, decisions to decide again, and what is to be told the outside."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from entitlements.admin import runs as runs_admin
from entitlements.models import Decision, Hold, OutboxMessage, Run
from kernel.clock import utc_now
from plans.models import ModelTier
from tests.entitlements.api.gate_stories import Teller, told
from tests.entitlements.api.test_limits import limits
from tests.world import CREDIT, Actor, World

pytestmark = pytest.mark.django_db(transaction=True)

LINES = ("holdline", "runline", "decisionline", "messageline")


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def acme(world: World) -> Actor:
    """A customer with limits, a run inside a run, a hold in it, a denial, and a threshold told."""
    limits(
        world.pro,
        daily={"value": 50 * CREDIT, "warn_at_percent": [20]},
        each_user={"scope": "user", "value": 12 * CREDIT},
        each_call={"window": "draw", "value": 40 * CREDIT},
    )
    actor = Actor("acme", utc_now(), world.pro)

    async def story(tells: Teller) -> None:
        await tells.opens("outer", budget={"credits": "50"})
        await tells.opens("inner", parent="outer")
        await tells.uses("call-1", "12", run="inner", user="ann")
        await tells.holds("hold-1", "6", run="inner")
        await tells.asks(model="gpt-4o")

    told(actor.now, story)
    return actor


def url(model: str, page: str, *arguments: Any) -> str:
    return reverse(f"admin:entitlements_{model}_{page}", args=arguments)


def page(client: Client, address: str, **query: Any) -> str:
    """The page's text, without its mark-up."""
    response = client.get(address, query, follow=True)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def line_ids(actor: Actor) -> dict[str, str]:
    of = {"customer_id": actor.row.pk}
    keys = {
        "holdline": Hold.objects.get(**of).id,
        "runline": Run.objects.get(**of, key="outer").id,
        "decisionline": Decision.objects.get(**of, decision="deny").id,
        "messageline": OutboxMessage.objects.filter(**of).earliest("id").pk,
    }
    return {line: f"{actor.row.pk}-{key}" for line, key in keys.items()}


def test_the_customers_page_shows_limits_as_bars_and_what_is_open(staff: Client, acme: Actor) -> None:
    address = url("customer", "change", acme.row.pk)
    text = page(staff, address)
    assert "daily · hard, customer per day 18 of 50 credits, 6 of it held, until" in text
    assert "each-user · hard, user ann per day 12 of 12 credits, until" in text
    assert "each-call · hard, customer per draw at most 40 credits" in text
    assert "hold-1 6 0" in text
    assert "outer 1 12 of 50 6" in text
    shown = staff.get(address).content.decode()
    assert re.search(r'bg-orange-500[^>]*title="used: 24%"', shown)
    assert re.search(r'opacity-50 bg-orange-500[^>]*title="held: 12%"', shown)
    assert re.search(r'bg-red-600[^>]*title="used: 100%"', shown)
    for line in LINES:
        assert f"{url(line, 'changelist')}?customer={acme.row.pk}" in shown


@pytest.mark.parametrize("line", LINES)
def test_lines_are_listed_found_and_opened_but_never_changed(staff: Client, acme: Actor, line: str) -> None:
    other = Actor("globex", acme.now)
    whole = line_ids(acme)[line]
    for query in ({}, {"q": "acme"}, {"customer": acme.row.pk}):
        assert url(line, "change", whole) in staff.get(url(line, "changelist"), query).content.decode()
    assert f"/{acme.row.pk}-" not in staff.get(url(line, "changelist"), {"q": other.key}).content.decode()
    assert staff.get(url(line, "change", whole)).status_code == 200
    assert staff.post(url(line, "change", whole), {}).status_code == 403
    assert staff.post(url(line, "delete", whole), {"post": "yes"}).status_code == 403
    assert staff.get(url(line, "add")).status_code == 403
    for key in ("nonsense", "1-x", f"{acme.row.pk}-{'0' * 40}", "999999-1"):
        assert staff.get(url(line, "change", key)).status_code in {302, 404}


def test_a_run_is_a_tree_with_its_calls(staff: Client, acme: Actor) -> None:
    text = page(staff, url("runline", "change", line_ids(acme)["runline"]))
    assert re.search(r"outer open 1 12 of 50 6 0 \S+ \S+ – inner open 1 12 6 0", text)
    assert re.search(r"inner call-1 chat 0 → 0 12 0", text)
    inner = Run.objects.get(key="inner")
    assert "Inside outer" in page(staff, url("runline", "change", f"{acme.row.pk}-{inner.id}"))


def test_a_long_run_says_that_not_every_call_is_shown(
    staff: Client, acme: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_admin, "MOST_CALLS", 1)
    address = url("runline", "change", line_ids(acme)["runline"])
    assert "Only the first" not in page(staff, address)
    told(acme.now, lambda tells: tells.uses("call-2", "1", run="outer"))
    assert "Only the first 1 calls are shown" in page(staff, address)


def test_a_decision_is_decided_again_and_a_difference_is_named(staff: Client, acme: Actor) -> None:
    denied = line_ids(acme)["decisionline"]
    text = page(staff, url("decisionline", "change", denied))
    assert "model_tier_not_allowed" in text
    again = url("decisionline", "replay", denied)
    assert "The same inputs give the same answer" in page(staff, again)
    ModelTier.objects.filter(key="economy").update(rank=9)
    text = page(staff, again)
    assert "What is sold has changed meanwhile" in text
    assert "The answer differs now. answer.decision: was &#x27;deny&#x27;, is &#x27;allow&#x27; now" in text


def test_a_decision_nobody_made_cannot_be_decided_again(staff: Client, acme: Actor) -> None:
    assert staff.get(url("decisionline", "replay", "1-nonsense")).status_code == 404


def test_decisions_are_filtered_and_say_what_limited_them(staff: Client, acme: Actor) -> None:
    told(acme.now, lambda tells: tells.asks(estimate={"credits": "45"}, user="ann"))
    text = page(staff, url("decisionline", "changelist"), decision="deny", customer=acme.row.pk)
    assert "limit_reached chat · ann each-user (user)" in text
    assert "entitled" not in text


def test_a_hold_leads_to_its_run_and_decision_and_ends_at_its_deadline(staff: Client, acme: Actor) -> None:
    address = url("holdline", "change", line_ids(acme)["holdline"])
    shown = staff.get(address).content.decode()
    hold = Hold.objects.get()
    assert url("runline", "change", f"{acme.row.pk}-{hold.run_id}") in shown
    assert url("decisionline", "change", f"{acme.row.pk}-{hold.id}") in shown
    late = hold.expires_at + timedelta(seconds=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("entitlements.admin.holds.utc_now", lambda: late)
        assert "expired" in page(staff, url("holdline", "changelist"), customer=acme.row.pk)


def test_messages_wait_until_they_are_dispatched(staff: Client, acme: Actor) -> None:
    told_once = OutboxMessage.objects.earliest("id")
    waiting = page(staff, url("messageline", "changelist"), dispatched_at__isempty=1)
    assert "limit.threshold waiting" in waiting
    OutboxMessage.objects.update(dispatched_at=acme.now)
    assert "limit.threshold dispatched" in page(staff, url("messageline", "changelist"))
    text = page(staff, url("messageline", "change", f"{acme.row.pk}-{told_once.pk}"))
    assert "threshold_percent" in text
