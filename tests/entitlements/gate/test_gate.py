"""The gate as an app meets it: check, usage, and everything that can be wrong with a request."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from access.models import ApiKey
from entitlements.models import LedgerEntry
from entitlements.services.subscriptions import subscribe
from kernel.clock import utc_now
from metering.models import UsageEvent
from plans.models import PlanVersion, RateCardVersion
from tests.gate import aside, event, with_gate
from tests.world import CREDIT, Actor, World, assert_ledger_explains

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def acme(world: World) -> Actor:
    return Actor("acme", utc_now(), world.pro)


def call(path: str, json: Any = None, **options: Any) -> httpx.Response:
    async def story(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(path, json=json, **options)

    return with_gate(story)


def test_check_then_usage_then_check_shows_the_credits_move_at_once(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        question = {"customer": "acme", "feature": "chat", "model": "gpt-4o-mini", "estimate": {"credits": "1"}}
        before = await client.post("/v1/check", json=question)
        used = await client.post("/v1/usage", json=event())
        after = await client.post("/v1/check", json=question)
        return [before.json(), used.json(), after.json()]

    before, used, after = with_gate(story)
    assert (before["decision"], before["balance"]["available"]) == ("allow", "100")
    assert used == {
        "key": "e1",
        "status": "accepted",
        "credits": "0.14",
        "cost_usd": "0.00021",
        "model": "gpt-4o-mini",
        "balance": {"posted": "99.86", "held": "0", "available": "99.86", "debt": "0", "overage": "0"},
    }
    assert after["balance"]["available"] == "99.86"
    assert_ledger_explains(acme.row.pk)


def test_a_first_report_is_created_a_retry_is_ok_and_another_body_conflicts(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[httpx.Response]:
        bodies = [event(), event(), event(model="gpt-4o")]
        return [await client.post("/v1/usage", json=body) for body in bodies]

    first, again, other = with_gate(story)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json() == first.json() | {"status": "duplicate"}
    assert other.json()["code"] == "key_reused"
    assert other.headers["content-type"] == "application/problem+json"
    assert UsageEvent.objects.count() == 1


def test_a_price_change_between_two_tries_changes_nothing(world: World, acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[httpx.Response]:
        first = await client.post("/v1/usage", json=event())
        await aside(publish_dearer_card, world)
        again = await client.post("/v1/usage", json=event())
        fresh = await client.post("/v1/usage", json=event("e2"))
        return [first, again, fresh]

    first, again, fresh = (response.json() for response in with_gate(story))
    assert again["credits"] == first["credits"] == "0.14"
    assert fresh["credits"] == "5"  # the new price acts from its commit on


def publish_dearer_card(world: World) -> None:
    from django.db import connection

    now = utc_now()
    version = RateCardVersion.objects.create(card=world.card, number=2, effective_from=now - timedelta(seconds=1))
    version.rates.create(feature=world.chat, action_microcredits=5 * CREDIT)
    version.status, version.published_at = RateCardVersion.Status.PUBLISHED, now
    version.save()
    connection.close()


def test_cached_tokens_are_part_of_the_input_and_priced_once(world: World, acme: Actor) -> None:
    usage = {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 800},
        "output_tokens": 100,
        "total_tokens": 1100,
    }
    answer = call("/v1/usage", event(model="gpt-4.1", usage=usage | {"output_tokens_details": {"reasoning_tokens": 0}}))
    # gpt-4.1 at 2 / 0.5 cached / 8 per million: 200 × 2 + 800 × 0.5 + 100 × 8.
    assert answer.json()["cost_usd"] == "0.0016"


def test_an_event_of_three_days_ago_is_in_the_balance_at_once(acme: Actor) -> None:
    late = (utc_now() - timedelta(days=3)).isoformat()
    assert call("/v1/usage", event(occurred_at=late)).json()["balance"]["available"] == "99.86"


def test_a_batch_lands_its_good_items_and_returns_the_bad_ones_with_their_reason(acme: Actor) -> None:
    events = [
        event("good-1"),
        event("no-customer", customer="nobody"),
        event("no-feature", feature="nope"),
        event("negative", usage={"prompt_tokens": -1, "completion_tokens": 1, "total_tokens": 0}),
        {"key": "missing everything"},
        "not an object",
        event("naive", occurred_at="2026-11-15T12:00:00"),
        event("future", occurred_at="2999-01-01T00:00:00Z"),
        event("good-1"),
        event("good-1", model="other"),
        event("nul", user="a\u0000b"),
        event("huge", credits="1e400"),
        event("typed", memoised="yes"),
        event("extra", surprise=1),
        event("good-2"),
    ]
    response = call("/v1/usage", {"events": events})
    body = response.json()
    assert response.status_code == 200
    assert (body["accepted"], body["duplicates"], body["rejected"]) == (2, 1, 12)
    errors = {result["index"]: result["error"] for result in body["results"] if "error" in result}
    found = {index: (error["code"], error["field"]) for index, error in errors.items()}
    assert found == {
        1: ("customer_unknown", "events[1].customer"),
        2: ("feature_unknown", "events[2].feature"),
        3: ("usage_unreadable", "events[3].usage.prompt_tokens"),
        4: ("invalid_input", "events[4].customer"),
        5: ("invalid_input", "events[5]"),
        6: ("invalid_input", "events[6].occurred_at"),
        7: ("time_out_of_range", "events[7].occurred_at"),
        9: ("key_reused", "events[9].key"),
        10: ("invalid_input", "events[10].user"),
        11: ("invalid_input", "events[11].credits"),
        12: ("invalid_input", "events[12].memoised"),
        13: ("invalid_input", "events[13].surprise"),
    }
    assert UsageEvent.objects.count() == 2
    assert_ledger_explains(acme.row.pk)


def test_ten_thousand_events_land_in_one_request_and_a_second_time_add_nothing(acme: Actor) -> None:
    batch = {"events": [event(f"e{number}") for number in range(10_000)]}

    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        return [(await client.post("/v1/usage", json=batch)).json() for _ in range(2)]

    first, again = with_gate(story)
    assert (first["accepted"], again["duplicates"]) == (10_000, 10_000)
    balance = acme.balance(utc_now())
    assert balance.debt == 1_400 * CREDIT - 100 * CREDIT
    assert_ledger_explains(acme.row.pk)


def test_more_than_ten_thousand_is_refused_whole(acme: Actor) -> None:
    response = call("/v1/usage", {"events": [event(f"e{number}") for number in range(10_001)]})
    assert (response.status_code, response.json()["field"]) == (422, "events")
    assert UsageEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "malformed_body"),
        ({"content": b'{"a": NaN}', "headers": {"content-type": "application/json"}}, 400, "malformed_body"),
        ({"content": b"[" * 3000, "headers": {"content-type": "application/json"}}, 400, "malformed_body"),
        ({"content": b"\xff\xfe", "headers": {"content-type": "application/json"}}, 400, "malformed_body"),
        ({"content": b'{"key": "\\ud800"}', "headers": {"content-type": "application/json"}}, 400, "malformed_body"),
        ({"content": b"", "headers": {"content-type": "application/json"}}, 400, "malformed_body"),
        (
            {"content": b"a=b", "headers": {"content-type": "application/x-www-form-urlencoded"}},
            415,
            "unsupported_media_type",
        ),
        ({"content": b"x" * 10_000_000, "headers": {"content-type": "application/json"}}, 413, "body_too_large"),
        ({"json": []}, 422, "invalid_input"),
        ({"json": {"events": []}}, 422, "invalid_input"),
        ({"json": {"events": {}}}, 422, "invalid_input"),
        ({"json": 7}, 422, "invalid_input"),
        ({"json": {"events": [], "more": 1}}, 422, "invalid_input"),
        ({"json": None, "headers": {"authorization": ""}}, 401, "not_authenticated"),
        ({"json": None, "headers": {"authorization": "Bearer weir_sk_wrong_key"}}, 401, "not_authenticated"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/usage", "/v1/check"])
def test_bad_requests_get_a_problem_and_write_nothing(
    acme: Actor, path: str, options: dict[str, Any], status: int, code: str
) -> None:
    if path == "/v1/check" and "events" in str(options.get("json")):
        pytest.skip("events are usage's")

    async def story(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(path, **options)

    response = with_gate(story)
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert body["request_id"] == response.headers["x-request-id"]
    assert UsageEvent.objects.count() == 0


def test_a_method_the_gate_does_not_take(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> httpx.Response:
        return await client.get("/v1/check")

    assert with_gate(story).status_code == 405


def test_a_key_without_the_scope_may_not(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[httpx.Response]:
        return [
            await client.post("/v1/check", json={"customer": "acme", "feature": "chat"}),
            await client.post("/v1/usage", json=event()),
        ]

    checked, used = with_gate(story, scopes=("check",))
    assert (checked.status_code, used.status_code, used.json()["code"]) == (200, 403, "scope_missing")


def test_a_revoked_key_is_refused_from_the_commit_on(acme: Actor) -> None:
    def revoke() -> None:
        from django.db import connection

        ApiKey.objects.update(revoked_at=utc_now())
        connection.close()

    async def story(client: httpx.AsyncClient) -> list[int]:
        first = await client.post("/v1/usage", json=event("e1"))
        await aside(revoke)
        second = await client.post("/v1/usage", json=event("e2"))
        check = await client.post("/v1/check", json={"customer": "acme", "feature": "chat"})
        return [first.status_code, second.status_code, check.status_code]

    assert with_gate(story) == [201, 401, 401]
    assert UsageEvent.objects.count() == 1


def test_an_unknown_customer_is_said_to_be_unknown(acme: Actor) -> None:
    response = call("/v1/check", {"customer": "nobody", "feature": "chat"})
    assert (response.status_code, response.json()["code"]) == (404, "customer_unknown")


def test_check_answers_explain_themselves(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[dict[str, Any]]:
        tokens = {"input_tokens": 1000, "max_output_tokens": 1000}
        questions: list[dict[str, Any]] = [
            {"customer": "acme", "feature": "chat", "estimate": {"credits": "500"}},
            {"customer": "acme", "feature": "chat", "model": "gpt-4o"},
            {"customer": "acme", "feature": "export"},
            {"customer": "acme", "feature": "chat", "model": "gpt-4o-mini", "estimate": tokens},
        ]  # fmt: skip
        return [(await client.post("/v1/check", json=question)).json() for question in questions]

    poor, tier, boolean, tokens = with_gate(story)
    assert (poor["decision"], poor["reason"], poor["credits"]) == ("deny", "insufficient_credits", "500")
    assert (poor["limiting"]["limit"], poor["limiting"]["value"]) == ("balance", "100")
    assert (tier["decision"], tier["reason"]) == ("deny", "model_tier_not_allowed")
    assert boolean["decision"] == "allow"
    assert (tokens["decision"], tokens["credits"]) == ("allow", "0.5")


@pytest.mark.parametrize(
    ("estimate", "field"),
    [
        ({"credits": "-1"}, "estimate.credits"),
        ({"credits": "1.0000001"}, "estimate.credits"),
        ({"credits": 5}, "estimate.credits"),
        ({"input_tokens": -1}, "estimate.input_tokens"),
        ({"input_tokens": 10**30}, "estimate.input_tokens"),
        ({"credits": "1", "input_tokens": 1}, "estimate"),
    ],
)
def test_an_estimate_that_cannot_be_is_refused_at_its_field(acme: Actor, estimate: dict[str, Any], field: str) -> None:
    response = call("/v1/check", {"customer": "acme", "feature": "chat", "estimate": estimate})
    assert (response.status_code, response.json()["field"]) == (422, field)


def test_callers_that_arrive_together_share_a_batch_and_each_gets_their_own_answer(acme: Actor) -> None:
    async def story(client: httpx.AsyncClient) -> list[httpx.Response]:
        bodies = [event(f"e{number % 50}", model="gpt-4o" if number == 99 else "gpt-4o-mini") for number in range(100)]
        return await asyncio.gather(*(client.post("/v1/usage", json=body) for body in bodies))

    statuses = sorted(response.status_code for response in with_gate(story))
    assert statuses.count(201) == 50
    assert statuses.count(200) + statuses.count(409) == 50
    assert UsageEvent.objects.count() == 50
    assert_ledger_explains(acme.row.pk)


def test_a_new_plan_acts_from_its_commit_on(world: World, acme: Actor) -> None:
    def move_to_team() -> PlanVersion:
        from django.db import connection

        team = world.plan("team", included=500, max_tier=world.premium)
        subscribe("acme", team, utc_now())
        connection.close()
        return team

    async def story(client: httpx.AsyncClient) -> list[str]:
        question = {"customer": "acme", "feature": "chat", "model": "gpt-4o"}
        before = await client.post("/v1/check", json=question)
        await aside(move_to_team)
        after = await client.post("/v1/check", json=question)
        return [before.json()["decision"], after.json()["decision"]]

    assert with_gate(story) == ["deny", "allow"]


def test_a_stated_charge_is_taken_as_it_is(acme: Actor) -> None:
    body = call("/v1/usage", event(credits="2.5", usage=None, model=None)).json()
    assert (body["credits"], body["cost_usd"], body["balance"]["available"]) == ("2.5", "0", "97.5")


def test_an_unknown_model_is_kept_unpriced(acme: Actor) -> None:
    body = call("/v1/usage", event(model="mystery-9")).json()
    assert body["cost_usd"] is None
    assert UsageEvent.objects.get().cost_nanousd is None


def test_time_is_the_edges(world: World, now: datetime) -> None:
    Actor("acme", now, world.pro)

    async def story(client: httpx.AsyncClient) -> dict[str, Any]:
        body: dict[str, Any] = (await client.post("/v1/usage", json=event())).json()
        return body

    next_month = now + timedelta(days=31)
    assert with_gate(story, clock=lambda: next_month)["balance"]["available"] == "99.86"
    assert LedgerEntry.objects.count() == 4  # granted, expired, granted, burned


def test_control_characters_in_a_providers_body_refuse_that_item_alone(acme: Actor) -> None:
    poisoned = {"model": "gpt\u0000", "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}
    single = call("/v1/usage", event("alone", usage=poisoned))
    assert (single.status_code, single.json()["field"]) == (422, "usage.model")
    batch = call("/v1/usage", {"events": [event("e1"), event("e2", usage=poisoned), event("e3")]}).json()
    assert (batch["accepted"], batch["rejected"]) == (2, 1)
    assert batch["results"][1]["error"]["field"] == "events[1].usage.model"
